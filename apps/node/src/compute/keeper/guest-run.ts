import { type ExitRecord, keepRecord } from './exit-record.ts'
import type { GuestLaunch } from './protocol.ts'
import {
  CANCELLED,
  type Cause,
  type Ending,
  endingOf,
  type KeptWork,
  memoryCause,
  NODE_GONE,
  RunBounds,
} from './run-bounds.ts'
import type { GuestEnd, Runner } from './runner.ts'
import type { Runners } from './runners.ts'

/** What a runner itself may take beside the guest's memory. */
const RUNTIME_BYTES = 512 * 1024 * 1024

type Capped = Pick<ExitRecord, 'stdoutCapped' | 'stderrCapped'>

/** Looks after the run of one WebAssembly guest inside the keeper: hands it to a runner, bounds it, and records its end. */
export class GuestRun implements KeptWork {
  readonly #launch: GuestLaunch
  readonly #runners: Runners
  readonly #onDone: (record: ExitRecord | undefined) => void
  readonly #bounds: RunBounds
  #runner: Runner | undefined
  #startedAtMs: number | null = null
  #cause: Cause | undefined
  #finished = false

  /** Calls `onDone` once, when nothing of the run is left; without a record it never began. */
  constructor(launch: GuestLaunch, runners: Runners, onDone: (record: ExitRecord | undefined) => void) {
    this.#launch = launch
    this.#runners = runners
    this.#onDone = onDone
    this.#bounds = new RunBounds(
      launch,
      () => this.#excess(),
      (cause) => this.#stop(cause),
    )
  }

  go(): void {
    if (this.#runner !== undefined || this.#finished) return
    const { sharing, outputBytes, request } = this.#launch
    try {
      this.#runner = this.#runners.take(sharing, outputBytes)
    } catch (error) {
      const errorMessage = `no process could be started for it: ${error instanceof Error ? error.message : String(error)}`
      this.#finish({ reason: 'start-failed', exitCode: null, signal: null, errorMessage })
      return
    }
    this.#runner.run(request, {
      begun: () => {
        this.#startedAtMs = Date.now()
        this.#bounds.start()
      },
      ended: (end) => this.#ended(end),
    })
  }

  cancel(): void {
    this.#stop(CANCELLED)
  }

  orphan(): void {
    if (this.#runner === undefined) this.#leave(undefined)
    else this.#stop(NODE_GONE)
  }

  kill(): void {
    if (!this.#finished) this.#runner?.kill()
  }

  #excess(): Cause | undefined {
    const { memoryBytes } = this.#launch
    const used = this.#runner?.memory().anonymousBytes ?? 0
    return memoryBytes !== null && used > memoryBytes + RUNTIME_BYTES ? memoryCause(memoryBytes) : undefined
  }

  /** A guest takes no signals, so there is no grace. */
  #stop(cause: Cause): void {
    if (this.#finished || this.#cause !== undefined) return
    this.#cause = cause
    if (this.#runner === undefined) this.#finish(causedEnding(cause, null))
    else this.#runner.kill()
  }

  #ended(end: GuestEnd): void {
    // A guest that came to its end before it was killed for another cause keeps its own end.
    if (end.kind === 'ended') {
      const { stdoutCapped, stderrCapped, ...ending } = end.report
      this.#finish({ ...ending, signal: null }, { stdoutCapped, stderrCapped })
    } else if (this.#cause !== undefined) {
      this.#finish(causedEnding(this.#cause, end.signal))
    } else {
      this.#finish(unexpectedEnding(end.exitCode, end.signal))
    }
  }

  #finish(ending: Ending, capped: Capped = { stdoutCapped: false, stderrCapped: false }): void {
    const { executionId, attempt, workDir } = this.#launch
    const record: ExitRecord = {
      executionId,
      attempt,
      ...ending,
      ...capped,
      startedAtMs: this.#startedAtMs,
      endedAtMs: Date.now(),
    }
    if (!this.#finished) keepRecord(workDir, record)
    this.#leave(record)
  }

  #leave(record: ExitRecord | undefined): void {
    if (this.#finished) return
    this.#finished = true
    this.#bounds.end()
    this.#onDone(record)
  }
}

function causedEnding({ reason, message }: Cause, signal: string | null): Ending {
  return { reason, exitCode: null, signal, errorMessage: message }
}

function unexpectedEnding(exitCode: number | null, signal: string | null): Ending {
  if (exitCode === null && signal !== null) return endingOf(exitCode, signal)
  const errorMessage = `the process that ran it ended with exit code ${exitCode ?? 'unknown'} and said nothing`
  return { reason: 'killed', exitCode: null, signal, errorMessage }
}
