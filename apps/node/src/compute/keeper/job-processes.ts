import type { CommandLine, Confinement } from './confinement.ts'
import type { JobUse } from './job-use.ts'

/** How a program is started. */
export interface Start extends CommandLine {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
}

/** A program that is to be started under limits of the kernel. */
export interface Program extends Start {
  readonly limits: Confinement
}

/** The processes of one job: how they are started, seen and ended. */
export interface JobProcesses {
  /** Makes ready what the job is to run in; resolves to what starts it there. Rejects where the machine refuses. */
  enclose(program: Program): Promise<Start>
  /** Says which process was started for it. */
  begin(pid: number): void
  /** What the live processes of the job take, as thoroughly as can be afforded ten times a second. */
  look(): JobUse
  /** Asks all that are known to end. */
  terminate(): void
  /** Kills all that are known, without waiting. */
  kill(): void
  /**
   * True where somebody else has ended what the job was to run in, so that what started it there says nothing of the
   * job.
   */
  readonly lost: boolean
  /** Ends whatever is left when the first one has ended, and resolves to the pids of those that cannot be ended. */
  end(): Promise<readonly number[]>
}
