import type { RunningProcess } from '../engine/engine.ts'
import { HelperLost, PATIENCE, type Patience } from './answer-watch.ts'
import { type ExitRecord, keepRecord } from './exit-record.ts'
import { KeeperProcess, type OrderedRun } from './keeper-process.ts'
import { killLeftover } from './leftover.ts'
import { keeperMarkerOf } from './marker.ts'
import type { Launch } from './protocol.ts'

/** A run that a keeper has its orders for; the job's own code has not begun. */
export interface KeptRun {
  readonly process: RunningProcess
  /** Starts the job; resolves with its exit record when every process of it is dead. */
  go(): Promise<ExitRecord>
  /** Gives the run up before `go`; resolves when nothing of it is left. */
  abandon(): Promise<void>
}

/**
 * Keeps the native programs of a node: one process beside it starts, bounds and ends them all, and ends them when the
 * node dies. It is started with the first run, and again after it was lost; it ends with the node.
 */
export class Keeper {
  readonly #patience: Patience
  #current: KeeperProcess | undefined

  constructor(patience: Patience = PATIENCE) {
    this.#patience = patience
  }

  /**
   * Hands the orders for a run over. An aborted signal cancels the run. Rejects when no process can be started or the machine
   * refuses what the run needs, and with a `HelperLost` where the keeper is lost before it is ready.
   */
  async prepare(launch: Launch, signal: AbortSignal): Promise<KeptRun> {
    const keeper = this.#keeperFor(launch)
    const run = keeper.launch(launch)
    const problem = await Promise.race([run.ready, run.ended])
    if (typeof problem === 'string') throw new Error(problem)
    if (problem !== undefined) throw new HelperLost(`${keeper.why}, so the job was not begun`)
    return {
      process: keeper.identity,
      go: () => this.#go(keeper, run, launch, signal),
      abandon: async () => {
        keeper.abandon(run.number)
        await run.ended
      },
    }
  }

  /** Ends the keeper, and with it whatever still runs; resolves when it is gone. A later run starts another. */
  async close(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    await current?.close()
  }

  #keeperFor({ workDir }: Launch): KeeperProcess {
    if (this.#current === undefined || this.#current.gone) {
      this.#current = new KeeperProcess(keeperMarkerOf(workDir), this.#patience)
    }
    return this.#current
  }

  async #go(
    keeper: KeeperProcess,
    run: OrderedRun,
    launch: Launch,
    signal: AbortSignal,
  ): Promise<ExitRecord> {
    const cancel = (): void => keeper.cancel(run.number)
    signal.addEventListener('abort', cancel, { once: true })
    // A cancel ahead of `go` ends the run before anything is started.
    if (signal.aborted) cancel()
    keeper.go(run.number)
    const end = await run.ended
    signal.removeEventListener('abort', cancel)
    if (end.kind === 'done' && end.record !== null) return end.record
    const lost = await endLost(launch, keeper)
    // Whatever a keeper hangs on may be what this process would write to; without a record the run counts as interrupted, as it was.
    if (!keeper.hung) keepRecord(launch.workDir, lost)
    return lost
  }
}

/** Ends what a lost keeper left of a job. */
async function endLost(
  { executionId, attempt, workDir }: Launch,
  keeper: KeeperProcess,
): Promise<ExitRecord> {
  const leftover = { process: keeper.identity, executionId, workDir }
  const errorMessage = await killLeftover(leftover).then(
    () => `${keeper.why}, so the job was ended`,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  return {
    executionId,
    attempt,
    reason: 'keeper-lost',
    exitCode: null,
    signal: null,
    errorMessage,
    stdoutCapped: false,
    stderrCapped: false,
    startedAtMs: null,
    endedAtMs: Date.now(),
  }
}
