import type { Confinement } from './confinement.ts'
import type { FirstProcess, Start, StartPlace } from './first-process.ts'
import type { JobUse } from './job-use.ts'

/** A program that is to be started under limits of the kernel. */
export interface Program extends Start {
  readonly limits: Confinement
}

/** The processes of one job: how they are started, seen and ended. */
export interface JobProcesses {
  /** True where the kernel ends all of them with the keeper, so that none has to be found again. */
  readonly endWithKeeper: boolean
  /** Makes ready what the job is to run in. Rejects where the machine refuses. */
  enclose(): Promise<void>
  /** Starts the first one in there. Rejects where it cannot be started. */
  start(program: Program, place: StartPlace): Promise<FirstProcess>
  /** What the live processes of the job take, as thoroughly as can be afforded ten times a second. */
  look(): JobUse
  /** Asks all that are known to end. */
  terminate(): void
  /** Kills all that are known, without waiting. */
  kill(): void
  /** True where somebody else has ended what the job was to run in. */
  readonly lost: boolean
  /** Ends whatever is left when the first one has ended, and resolves to the pids of those that cannot be ended. */
  end(): Promise<readonly number[]>
}
