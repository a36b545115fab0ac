/** The exit codes that every program has; each adds its own. */
export const COMMON_EXIT: {
  readonly ok: 0
  readonly usage: 2
} = {
  ok: 0,
  /** Wrong usage, or a wish that is refused. Nothing was written. */
  usage: 2,
}
