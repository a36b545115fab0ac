import type { KvChangedKey, KvWriteGroup } from '@saltcod/store-core/backend'

import type { Environment } from '../native/environment.ts'
import { GroupBuffer } from './group-buffer.ts'
import type { Reserve } from './reserve.ts'

/** What a {@link GroupWriter} tells of. */
export interface GroupEvents {
  /** A group has been committed; throws where that is worth nothing. */
  readonly confirm: () => void
  /** A group is on disk; its requests have not been answered yet. */
  readonly committed: () => void
  /** A damaged record has been noted, which is on disk now. */
  readonly quarantined: () => void
}

/**
 * Carries out groups of write bodies, each with one commit. What the bodies write is buffered until all have run, and
 * each claims room in the file before the next one runs, so that one that fails or finds no room leaves nothing
 * behind.
 */
export class GroupWriter {
  readonly #environment: Environment
  readonly #reserve: Reserve
  readonly #tables: ReadonlySet<string>
  readonly #events: GroupEvents
  #listener: ((changes: Iterable<KvChangedKey>) => void) | undefined

  constructor(environment: Environment, reserve: Reserve, tables: ReadonlySet<string>, events: GroupEvents) {
    this.#environment = environment
    this.#reserve = reserve
    this.#tables = tables
    this.#events = events
  }

  /** Tells a listener of every change that is made, until it is told `undefined`. */
  listen(listener: ((changes: Iterable<KvChangedKey>) => void) | undefined): void {
    this.#listener = listener
  }

  /** Carries out a group; returns when it is on disk. Throws where nothing can be trusted any more. */
  commit(group: KvWriteGroup): void {
    const buffer = new GroupBuffer(this.#environment, this.#reserve, this.#tables)
    try {
      this.#reserve.begin()
      this.#environment.commit(() => {
        group.run(buffer)
        this.#listener?.(buffer.changes())
      })
      this.#reserve.settle(this.#environment.lastPage() + 1, buffer.pages)
      this.#events.confirm()
    } catch (error) {
      throw this.#environment.fault ?? error
    }
    this.#events.committed()
    if (buffer.hasQuarantined) this.#events.quarantined()
  }
}
