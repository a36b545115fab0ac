import { HelperLost } from './answer-watch.ts'
import { type ExitRecord, exitRecord, keepRecord, NOT_CAPPED, readOwnEnd } from './exit-record.ts'
import { KeeperProcess, type OrderedRun } from './keeper-process.ts'
import { killLeftover } from './leftover.ts'
import { dataDirOf, keeperMarkerOf } from './marker.ts'
import type { Isolation, Launch, Shelter } from './protocol.ts'
import type { RunningProcess } from './running-process.ts'
import { PATIENCE, type Patience } from './silence.ts'

/** A run that a keeper has its orders for; the job's own code has not begun. */
export interface KeptRun {
  readonly process: RunningProcess
  /** Starts the job; resolves with its exit record when every process of it is dead. */
  go(): Promise<ExitRecord>
  /** Gives the run up before `go`; resolves when nothing of it is left. */
  abandon(): Promise<void>
}

/** Options of {@link Keeper}. */
export interface KeeperOptions {
  /** The directory of the node's runs; default: that of the first run. */
  readonly dataDir?: string
  /** How long a keeper may be silent. */
  readonly patience?: Patience
}

/** Counts of the processes beside a node, since its start. */
export interface HelperCounts {
  readonly keepersStarted: number
  /** Processes for WebAssembly guests. */
  readonly runnersStarted: number
  readonly runnersRetired: number
}

/**
 * Keeps the runs of a node: one process beside it starts, bounds and ends them all, and ends them when the
 * node dies. It is started with the first run, and again after it was lost; it ends with the node.
 */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #earlier = { keepersStarted: 0, runnersStarted: 0, runnersRetired: 0 }
  #current: KeeperProcess | undefined

  constructor(options: KeeperOptions = {}) {
    this.#options = options
  }

  /** Tells what native jobs can have here of what is wanted for them. */
  async shelter(isolation: Isolation): Promise<Shelter> {
    return await this.#keeperFor(this.#options.dataDir ?? '/').shelter(isolation)
  }

  /**
   * Hands the orders for a run over. An aborted signal cancels the run. Rejects when no process can be started or the
   * machine refuses what the run needs, and with a `HelperLost` where the keeper is lost before it is ready.
   */
  async prepare(launch: Launch, signal: AbortSignal): Promise<KeptRun> {
    const keeper = this.#keeperFor(dataDirOf(launch.workDir))
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
    this.#settle()
    await current?.close()
  }

  /** How many processes were started and given up for this keeper so far, by all its lives. */
  get helpers(): HelperCounts {
    const { started, retired } = this.#current?.runners ?? { started: 0, retired: 0 }
    return {
      keepersStarted: this.#earlier.keepersStarted,
      runnersStarted: this.#earlier.runnersStarted + started,
      runnersRetired: this.#earlier.runnersRetired + retired,
    }
  }

  #keeperFor(dataDir: string): KeeperProcess {
    if (this.#current !== undefined && !this.#current.gone) return this.#current
    this.#settle()
    this.#current = new KeeperProcess(keeperMarkerOf(dataDir), this.#options.patience ?? PATIENCE)
    this.#earlier.keepersStarted += 1
    return this.#current
  }

  /** Takes over the counts of a keeper that is used no more. All its runners end with it. */
  #settle(): void {
    const { started } = this.#current?.runners ?? { started: 0 }
    this.#earlier.runnersStarted += started
    this.#earlier.runnersRetired += started
    this.#current = undefined
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
    if (lost.reason !== 'keeper-lost') return lost
    // Whatever a keeper hangs on may be what this process would write to; without a record the run counts as
    // interrupted, as it was.
    if (!keeper.hung) keepRecord(launch.workDir, lost)
    return lost
  }
}

/** Ends what a lost keeper left of a job; one that had come to its own end before keeps that. */
async function endLost(launch: Launch, keeper: KeeperProcess): Promise<ExitRecord> {
  const { executionId, workDir } = launch
  const leftover = { process: keeper.identity, executionId, workDir }
  let errorMessage = `${keeper.why}, so the job was ended`
  try {
    await killLeftover(leftover)
    const own = readOwnEnd(workDir, launch)
    if (own !== undefined) return own
  } catch (error) {
    errorMessage = error instanceof Error ? error.message : String(error)
  }
  const ending = { reason: 'keeper-lost', exitCode: null, signal: null, errorMessage } as const
  return exitRecord(launch, { ...ending, ...NOT_CAPPED, startedAtMs: null })
}
