import { type ExitRecord, exitRecord, keepRecord, NOT_CAPPED, readOwnEnd } from './exit-record.ts'
import { KeeperProcess } from './keeper-process.ts'
import { killLeftover } from './leftover.ts'
import { dataDirOf, keeperMarkerOf } from './marker.ts'
import type { Isolation, Launch, Shelter } from './protocol.ts'
import { CANCELLED, type Ending, endingBy, notStarted } from './run-ending.ts'
import type { RunningProcess } from './running-process.ts'
import { PATIENCE, type Patience } from './silence.ts'

/** A run that has a keeper and has not begun. */
export interface KeptRun {
  readonly process: RunningProcess
  /** Starts the job; resolves with its exit record when every process of it is dead. */
  go(): Promise<ExitRecord>
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
   * Finds the keeper of a run, which is told of it when it begins. An aborted signal cancels the run. Throws when no
   * process can be started.
   */
  prepare(launch: Launch, signal: AbortSignal): KeptRun {
    const keeper = this.#keeperFor(dataDirOf(launch.workDir))
    return { process: keeper.identity, go: () => this.#go(keeper, launch, signal) }
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

  async #go(keeper: KeeperProcess, launch: Launch, signal: AbortSignal): Promise<ExitRecord> {
    if (signal.aborted) return notRun(launch, endingBy(CANCELLED, null, null))
    const run = keeper.launch(launch)
    const cancel = (): void => keeper.cancel(run.number)
    signal.addEventListener('abort', cancel, { once: true })
    const end = await run.ended
    signal.removeEventListener('abort', cancel)
    if (end.kind === 'done' && end.record !== null) return end.record
    if (end.kind === 'refused') return notRun(launch, notStarted('the job could not be started', end.message))
    const lost = await endLost(launch, keeper)
    if (lost.reason !== 'keeper-lost') return lost
    // Whatever a keeper hangs on may be what this process would write to; without a record the run counts as
    // interrupted, as it was.
    if (!keeper.hung) keepRecord(launch.workDir, lost)
    return lost
  }
}

/** The record of a run of which nothing has begun. */
function notRun(launch: Launch, ending: Ending): ExitRecord {
  return exitRecord(launch, { ...ending, ...NOT_CAPPED, startedAtMs: null })
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
