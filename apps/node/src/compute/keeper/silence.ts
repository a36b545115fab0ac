import { readProcess } from './process-table.ts'

/** How long a helper process may be silent, and how often it is looked at meanwhile. */
export interface Patience {
  readonly lookMs: number
  readonly silenceMs: number
}

/** A helper answers at once unless it hangs. */
export const PATIENCE: Patience = { lookMs: 500, silenceMs: 10_000 }

/**
 * A look that comes later than this many times its pause says that this process did not run itself, or the whole
 * machine.
 */
const LATE = 2
/** The state of a process in an uninterruptible wait, which in practice is one for a disk. */
const WAITS_FOR_DISK = 'D'

/** Measures for how long a helper process has done nothing that it was asked to, though it could have. */
export class Silence {
  readonly #pid: number
  readonly #lookMs: number
  #lookedAtMs = performance.now()
  #lastedMs = 0

  constructor(pid: number, { lookMs }: Patience) {
    this.#pid = pid
    this.#lookMs = lookMs
  }

  /** Says that it has answered. */
  broken(): void {
    this.#lastedMs = 0
  }

  /** One look, to be taken after each pause; returns for how long the helper has been silent. */
  look(): number {
    const now = performance.now()
    const passedMs = now - this.#lookedAtMs
    this.#lookedAtMs = now
    if (this.#mayWaitForDisk()) this.#lastedMs = 0
    else if (passedMs < LATE * this.#lookMs) this.#lastedMs += passedMs
    return this.#lastedMs
  }

  #mayWaitForDisk(): boolean {
    try {
      return readProcess(this.#pid)?.state === WAITS_FOR_DISK
    } catch {
      // What cannot be seen is not held against it.
      return true
    }
  }
}
