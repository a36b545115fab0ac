import { createHash } from 'node:crypto'
import type { JobHead } from '@saltcod/bacalhau-records'
import { JOB_MACHINE } from '@saltcod/store-core'

/**
 * Which job has a name that several have. Up to v1.7 names of Bacalhau were free; here each belongs to one job of its
 * namespace: to the one in progress, or else the newest.
 */
export class NameOwners {
  /** By a hash of namespace and name, so that names of any length take little. */
  readonly #owners = new Map<string, { readonly id: string; readonly rank: number }>()

  /** Sees a job; all must have been seen before anything is asked. */
  see({ id, namespace, name, createdAtMs, state }: JobHead): void {
    const key = keyOf(namespace, name)
    // A job without a name is called by its id.
    const rank =
      name === id
        ? Number.POSITIVE_INFINITY
        : createdAtMs + (JOB_MACHINE.terminal.has(state) ? 0 : IN_PROGRESS)
    const known = this.#owners.get(key)
    if (known === undefined || known.rank < rank || (known.rank === rank && known.id < id))
      this.#owners.set(key, { id, rank })
  }

  /** Returns the name that a job gets: its own, or one with its id where another job has that. */
  nameOf(id: string, namespace: string, name: string): string {
    if (name === id) return name
    if (this.#isFree(id, namespace, name)) return name
    const own = id.replace(/^j-/, '')
    // Somebody may have that name too; his id alone nobody else can have twice.
    for (let ending = own; ; ending = `${ending}-${own}`) {
      const other = `${name.slice(0, LONGEST_KEPT)}-${ending}`
      if (this.#isFree(id, namespace, other)) {
        this.#owners.set(keyOf(namespace, other), { id, rank: Number.POSITIVE_INFINITY })
        return other
      }
    }
  }

  #isFree(id: string, namespace: string, name: string): boolean {
    const owner = this.#owners.get(keyOf(namespace, name))
    return owner === undefined || owner.id === id
  }
}

/** Characters that a name keeps before an id. */
const LONGEST_KEPT = 200

/** Beyond every time. */
const IN_PROGRESS = 1e16

function keyOf(namespace: string, name: string): string {
  return createHash('sha256').update(`${namespace}\0${name}`).digest('base64').slice(0, 20)
}
