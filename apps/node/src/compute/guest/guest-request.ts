/** One directory that a guest sees. */
export interface GuestMount {
  readonly guestPath: string
  readonly hostPath: string
  readonly writable: boolean
}

/** Everything that a runner needs for one guest. */
export interface GuestRequest {
  readonly modulePath: string
  readonly entrypoint: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly mounts: readonly GuestMount[]
  /** Files of modules that others import from, by the name they are imported under. */
  readonly imports: Readonly<Record<string, string>>
  readonly memoryBytes: number
  /** The files of its two streams; one that is never written to is never made. */
  readonly stdoutPath: string
  readonly stderrPath: string
  /** The most that is kept of each stream. */
  readonly logBytes: number
}

/** How a guest ended. */
export interface GuestReport {
  readonly exitCode: number | null
  readonly errorMessage: string | null
  readonly reason: 'exited' | 'memory' | 'start-failed'
  /** True when a stream was longer than its limit, so that its file holds only the beginning. */
  readonly stdoutCapped: boolean
  readonly stderrCapped: boolean
}

/** A line from the keeper to a runner; the end of the pipe ends the runner. */
export type ToRunner = GuestRequest

/** A line from a runner to its keeper. */
export type FromRunner =
  /** It takes guests. */
  | { readonly kind: 'here' }
  /** The guest's own code is about to begin. */
  | { readonly kind: 'begun' }
  /**
   * The guest has ended. A runner that is not `clean` ends too: something is left in it that the next guest must not
   * meet.
   */
  | { readonly kind: 'ended'; readonly report: GuestReport; readonly clean: boolean }
