import { COMMON_EXIT } from '@saltcod/cli-kit'

/** The exit codes of the program; scripts rely on them. */
export const EXIT: typeof COMMON_EXIT & {
  readonly findings: 1
  readonly unreadable: 3
} = {
  ...COMMON_EXIT,
  /** A check found something, two stores differ, or the record that was asked for is not there. */
  findings: 1,
  /** The store cannot be read. */
  unreadable: 3,
}

/** One of the values of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
