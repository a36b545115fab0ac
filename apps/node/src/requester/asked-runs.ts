import { executionTimeoutMs, isLongRunning, type JobSpec, onlyTask } from '@saltcod/bacalhau-records'
import type { Job, JobStore } from '@saltcod/store-core'
import type { AddressedCommand } from './scheduler/view.ts'

/** What is to be done about a run once it has begun. */
export interface RunTerms {
  /** It should go on for ever. */
  readonly isLongRunning: boolean
  /** 0 for no limit. */
  readonly timeoutMs: number
}

/** So many runs that were asked for and have not begun are remembered; those of others are read. */
const MOST_REMEMBERED = 10_000

/** Knows what was asked of nodes lately, so that the beginning of a run need not be looked up. */
export class AskedRuns {
  readonly #terms = new Map<string, RunTerms>()

  /** Remembers the runs that commands ask for. */
  remember(job: Pick<Job<JobSpec>, 'type' | 'spec'>, commands: readonly AddressedCommand[]): void {
    for (const { command } of commands) {
      if (command.kind === 'ask-for-bid') this.#terms.set(command.executionId, termsOf(job))
    }
    for (const executionId of this.#terms.keys()) {
      if (this.#terms.size <= MOST_REMEMBERED) return
      this.#terms.delete(executionId)
    }
  }

  /** Returns the terms of a run that begins; `null` where its execution or its job is gone. */
  async take(store: JobStore<JobSpec>, executionId: string): Promise<RunTerms | null> {
    const remembered = this.#terms.get(executionId)
    this.#terms.delete(executionId)
    if (remembered !== undefined) return remembered
    const execution = await store.getExecution(executionId)
    const job = execution === null ? null : await store.getJob(execution.jobId, execution.jobVersion)
    return job === null ? null : termsOf(job)
  }
}

function termsOf({ type, spec }: Pick<Job<JobSpec>, 'type' | 'spec'>): RunTerms {
  return { isLongRunning: isLongRunning(type), timeoutMs: executionTimeoutMs(onlyTask(spec)) }
}
