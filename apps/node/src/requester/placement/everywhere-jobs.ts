import type { JobSpec } from '@saltcod/bacalhau-records'
import { JOB_MACHINE, type Job, type JobState } from '@saltcod/store-core'
import type { NodeDescription } from '../../link/link.ts'
import { type JobNeeds, needsOf } from '../scheduler/needs.ts'
import { canDo } from '../scheduler/node-choice.ts'

type EverywhereType = 'ops' | 'daemon'

/**
 * The jobs in progress that run on every node that can do them, so that a node that comes need not be compared with
 * all that there are. Each is known from the first decision about it, or from the start that found it.
 */
export class EverywhereJobs {
  readonly #byId = new Map<string, { readonly type: EverywhereType; readonly needs: JobNeeds }>()

  /** Takes note of a job that is, or is about to be, in a state; others than these jobs are passed over. */
  note({ id, type, spec }: Pick<Job<JobSpec>, 'id' | 'type' | 'spec'>, state: JobState): void {
    if (type !== 'ops' && type !== 'daemon') return
    if (JOB_MACHINE.terminal.has(state)) this.#byId.delete(id)
    else this.#byId.set(id, { type, needs: needsOf(spec) })
  }

  /** Forgets a job that is gone. */
  forget(jobId: string): void {
    this.#byId.delete(jobId)
  }

  /** Returns those of a type. */
  ofType(type: EverywhereType): string[] {
    return [...this.#byId].filter(([, job]) => job.type === type).map(([id]) => id)
  }

  /** Returns those that any of some nodes can do. */
  forAny(descriptions: readonly NodeDescription[]): string[] {
    return [...this.#byId]
      .filter(([, { needs }]) => descriptions.some((description) => canDo(needs, description)))
      .map(([id]) => id)
  }
}
