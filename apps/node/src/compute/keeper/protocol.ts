import type { ExitRecord } from './exit-record.ts'

/** Everything that the keeper needs to run one job; sent over its pipe, never written to disk. */
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

/** A line from the node to its keeper; `run` is the number that the node gave the run. The end of the pipe means that the node died. */
export type ToKeeper =
  | { readonly kind: 'launch'; readonly run: number; readonly launch: Launch }
  | { readonly kind: 'go'; readonly run: number }
  | { readonly kind: 'cancel'; readonly run: number }
  /** Takes back a launch; also a run that has gone is ended, without a record. */
  | { readonly kind: 'abandon'; readonly run: number }
  /** Asks whether the keeper is there; the answer is `here`. */
  | { readonly kind: 'ask' }

/** A line from the keeper to its node. */
export type FromKeeper =
  | { readonly kind: 'here' }
  /** The keeper has all that the run needs; nothing of the job has begun. */
  | { readonly kind: 'ready'; readonly run: number }
  /** The machine refuses what the run needs, for instance a file for its log. */
  | { readonly kind: 'refused'; readonly run: number; readonly message: string }
  /** Nothing of the run is left. Without a record it never began. */
  | { readonly kind: 'done'; readonly run: number; readonly record: ExitRecord | null }

/** Cuts what a pipe brings into messages, one for each line; what a piece leaves unfinished waits for the next. */
export class Messages<Message> {
  #rest = ''

  /** Returns the messages that a piece of text completes. */
  take(text: string): Message[] {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map((line) => JSON.parse(line) as Message)
  }
}
