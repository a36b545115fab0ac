import type { GuestRequest } from '../guest/guest-request.ts'
import type { Controller } from './controllers.ts'
import type { ExitRecord } from './exit-record.ts'

/** What the keeper is told of every run; sent over its pipe, never written to disk. */
export interface RunOrders {
  readonly executionId: string
  readonly attempt: number
  readonly workDir: string
  /** The directory that the job writes below. */
  readonly cwd: string
  readonly timeMs: number | null
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number
  readonly memoryBytes: number | null
  readonly logBytes: number
  /** The most that the job may add to what lies below its directory. */
  readonly outputBytes: number
}

/**
 * What keeps the jobs of native programs apart: a PID namespace for each, a cgroup for each, or neither, when they are
 * known by the traces that they leave.
 */
export type Isolation = 'pid-namespace' | 'cgroup' | 'none'

/** How native programs are run on this machine. */
export interface Shelter {
  readonly isolation: Isolation
  /** What the kernel holds a job as a whole to. */
  readonly controllers: readonly Controller[]
}

/** A native program that is to be run. */
export interface ProgramLaunch extends RunOrders {
  readonly kind: 'program'
  /** The program's absolute path and its arguments; no shell in between. It starts in `cwd`. */
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the job's first process, but for the marker. */
  readonly env: Readonly<Record<string, string>>
  /** What is wanted; where the machine does not have it, the next of the list. */
  readonly isolation: Isolation
  /** Its share where processors are short, in processors; null for that of one. */
  readonly cpus: number | null
  /** Only programs with the same value follow each other in one namespace; null for one that no other had. */
  readonly sharing: string | null
  /** The most private writable memory of one process. */
  readonly dataBytes: number | null
  /** More processes than this at a time end the job. */
  readonly maxProcesses: number
}

/** A WebAssembly guest that is to be run. */
export interface GuestLaunch extends RunOrders {
  readonly kind: 'guest'
  readonly request: GuestRequest
  /** Only guests with the same value follow each other in one process; null for a process of its own. */
  readonly sharing: string | null
}

/** What is to be run, and within which bounds. */
export type Launch = ProgramLaunch | GuestLaunch

/**
 * A line from the node to its keeper; `run` is the number that the node gave the run. The end of the pipe means that
 * the node died.
 */
export type ToKeeper =
  /** Starts the job. */
  | { readonly kind: 'launch'; readonly run: number; readonly launch: Launch }
  | { readonly kind: 'cancel'; readonly run: number }
  /** Asks what native jobs can have of what is wanted for them; the answer is `shelter`. */
  | { readonly kind: 'probe'; readonly isolation: Isolation }
  /** Asks whether the keeper is there; the answer is `here`. */
  | { readonly kind: 'ask' }

/** A line from the keeper to its node. */
export type FromKeeper =
  | { readonly kind: 'here' }
  | { readonly kind: 'shelter'; readonly shelter: Shelter }
  /** How many processes for guests it has started and given up so far. */
  | { readonly kind: 'runners'; readonly started: number; readonly retired: number }
  /** The machine refuses what the run needs; nothing of the job has begun. */
  | { readonly kind: 'refused'; readonly run: number; readonly message: string }
  /** Nothing of the run is left. Without a record it never began, because the node is gone. */
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
