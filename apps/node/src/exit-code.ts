import { COMMON_EXIT } from '@saltcod/cli-kit'

/** The exit codes of the program; scripts rely on them. */
export const EXIT: typeof COMMON_EXIT & {
  readonly failed: 1
  readonly unreachable: 3
  readonly storeFailed: 74
  readonly interrupted: 130
} = {
  // `usage` is also for a wrong configuration, or a store that the node must not or cannot open.
  ...COMMON_EXIT,
  /**
   * The command was understood and failed: there is no such job, the file of a job is wrong, or a program of it ended
   * with another code than 0.
   */
  failed: 1,
  /** The node cannot be reached, or was lost and did not come back in time. */
  unreachable: 3,
  /** The store of a serving node became unusable; start it again. */
  storeFailed: 74,
  /** Ctrl-C while a command waited. */
  interrupted: 130,
}
