/** The exit codes of the program; scripts rely on them. */
export const EXIT: {
  readonly ok: 0
  readonly findings: 1
  readonly usage: 2
  readonly unreadable: 3
} = {
  ok: 0,
  /** A check found something, two stores differ, or the record that was asked for is not there. */
  findings: 1,
  /** Wrong usage, or a wish that is refused. Nothing was written. */
  usage: 2,
  /** The store cannot be read. */
  unreadable: 3,
}

/** One of the values of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
