/** Everything that the supervisor needs to run one job; sent over its pipe, never written to disk. */
export interface Launch {
  readonly executionId: string
  readonly attempt: number
  readonly workDir: string
  /** The program's absolute path and its arguments; no shell in between. */
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the job's first process, but for the marker. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly timeMs: number | null
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number
  readonly memoryBytes: number | null
  readonly logBytes: number
  /** The most that the job may add to what lies below its starting directory. */
  readonly outputBytes: number
  /** More processes than this at a time end the job. */
  readonly maxProcesses: number
  /** True for jobs that may open `/dev/stdout` by name, which a socket does not allow. */
  readonly namedLogs: boolean
  /** True when the program reports its end as one JSON line on file descriptor 3; see {@link ProgramReport}. */
  readonly reports: boolean
}

/** What a program of ours says about its end, where an exit status is too narrow. */
export interface ProgramReport {
  readonly exitCode: number | null
  readonly errorMessage: string | null
  readonly reason: 'exited' | 'memory' | 'start-failed'
}

/** A line from the node to the supervisor. The end of the pipe means that the node died. */
export type ToSupervisor =
  | { readonly kind: 'launch'; readonly launch: Launch }
  | { readonly kind: 'go' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'ask' }

/** The answer to `ask`. */
export const HERE_LINE = 'here'

/** The first line from the supervisor to the node: it is up and has its orders. */
export const READY_LINE = 'ready'
