import { type Capped, type ExitRecord, exitRecord, keepRecord, NOT_CAPPED } from './exit-record.ts'
import { type JobUse, sumOfUses } from './job-use.ts'
import type { KeptWork } from './kept-work.ts'
import type { GuestLaunch } from './protocol.ts'
import { RunBounds } from './run-bounds.ts'
import {
  CANCELLED,
  type Cause,
  type Ending,
  endingBy,
  memoryCause,
  NODE_GONE,
  notStarted,
  unexpectedEnding,
} from './run-ending.ts'
import type { GuestEnd, Runner } from './runner.ts'
import type { Runners } from './runners.ts'

/** What a runner itself may take beside the guest's memory. */
const RUNTIME_BYTES = 512 * 1024 * 1024
/** Runners that are tried for one guest. One that is gone before it begins with it has run nothing of it. */
const MOST_RUNNERS = 3

const NOTHING = sumOfUses([])

/**
 * Looks after the run of one WebAssembly guest inside the keeper: hands it to a runner, bounds it, and records its
 * end.
 */
export class GuestRun implements KeptWork {
  readonly #launch: GuestLaunch
  readonly #runners: Runners
  readonly #onDone: (record: ExitRecord | undefined) => void
  readonly #bounds: RunBounds
  #runner: Runner | undefined
  #begun = false
  #runnersTried = 0
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
      { look: () => this.#runner?.use() ?? NOTHING, excess: (use) => this.#excess(use) },
      (cause) => this.#stop(cause),
    )
  }

  go(): void {
    if (this.#begun || this.#finished) return
    this.#begun = true
    void this.#begin()
  }

  async #begin(): Promise<void> {
    const { sharing, outputBytes, request } = this.#launch
    let runner: Runner
    try {
      runner = await this.#runners.take(sharing, outputBytes)
    } catch (error) {
      this.#finish(notStarted('no process would begin with it', error))
      return
    }
    // It was ended while it waited.
    if (this.#finished) return this.#runners.giveBack(runner)
    this.#runner = runner
    this.#runnersTried += 1
    runner.run(request, {
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

  #excess(use: JobUse): Cause | undefined {
    const { memoryBytes } = this.#launch
    return memoryBytes !== null && use.memoryBytes > memoryBytes + RUNTIME_BYTES
      ? memoryCause(memoryBytes)
      : undefined
  }

  /** A guest takes no signals, so there is no grace. */
  #stop(cause: Cause): void {
    if (this.#finished || this.#cause !== undefined) return
    this.#cause = cause
    if (this.#runner === undefined) this.#finish(endingBy(cause, null, null))
    else this.#runner.kill()
  }

  #ended(end: GuestEnd): void {
    // A guest that came to its end before it was killed for another cause keeps its own end.
    if (end.kind === 'ended') {
      const { stdoutCapped, stderrCapped, ...ending } = end.report
      this.#finish({ ...ending, signal: null }, { stdoutCapped, stderrCapped })
    } else if (this.#cause !== undefined) {
      this.#finish(endingBy(this.#cause, null, end.signal))
    } else if (this.#startedAtMs !== null) {
      this.#finish(unexpectedEnding(end.exitCode, end.signal))
    } else if (this.#runnersTried < MOST_RUNNERS) {
      this.#runner = undefined
      void this.#begin()
    } else {
      this.#finish(
        notStarted('no process would begin with it', unexpectedEnding(end.exitCode, end.signal).errorMessage),
      )
    }
  }

  #finish(ending: Ending, capped: Capped = NOT_CAPPED): void {
    const record = exitRecord(this.#launch, { ...ending, ...capped, startedAtMs: this.#startedAtMs })
    if (!this.#finished) keepRecord(this.#launch.workDir, record)
    this.#leave(record)
  }

  #leave(record: ExitRecord | undefined): void {
    if (this.#finished) return
    this.#finished = true
    this.#bounds.end()
    this.#onDone(record)
  }
}
