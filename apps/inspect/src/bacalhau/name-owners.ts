import { createHash } from 'node:crypto'
import type { WholeBacalhauJob } from '@saltcod/bacalhau-records'

/**
 * Which job has a name that several have. Up to v1.7 names of Bacalhau were free; here each belongs to one job of its
 * namespace: to the one in progress, or else the newest.
 */
export class NameOwners {
  /** By a hash of namespace and name, so that names of any length take little. */
  readonly #owners = new Map<string, { readonly id: string; readonly rank: number }>()

  /** Sees a job; all must have been seen before anything is asked. */
  see({ versions }: WholeBacalhauJob): void {
    const job = versions.at(-1)
    if (job === undefined || job.name === job.id) return
    const key = keyOf(job.namespace, job.name)
    const rank = job.createdAtMs + (job.finishedAtMs === null ? IN_PROGRESS : 0)
    const known = this.#owners.get(key)
    if (known === undefined || known.rank < rank || (known.rank === rank && known.id < job.id))
      this.#owners.set(key, { id: job.id, rank })
  }

  /** Returns the name that a job gets: its own, or one with its id where another job has that. */
  nameOf(id: string, namespace: string, name: string): string {
    if (name === id) return name
    const owner = this.#owners.get(keyOf(namespace, name))
    return owner === undefined || owner.id === id ? name : `${name}-${id.replace(/^j-/, '')}`
  }
}

/** Beyond every time. */
const IN_PROGRESS = 1e16

function keyOf(namespace: string, name: string): string {
  return createHash('sha256').update(`${namespace}\0${name}`).digest('base64').slice(0, 20)
}
