import {
  checkFields,
  type KvCapabilities,
  type KvReader,
  type KvStatistics,
  type KvStore,
  KvStoreBase,
  type KvWriteGroup,
} from '@saltcod/store-core/backend'

import { Tables } from './tables.ts'

/** Options of {@link openMemoryKv}. */
export interface MemoryKvOptions {
  /** Names of the tables. A body that names another one gets a `TypeError`. */
  readonly tables: readonly string[]
}

/** Opens an empty store that lives as long as the process; closing it forgets all rows. */
export function openMemoryKv(options: MemoryKvOptions): KvStore {
  checkFields('openMemoryKv', options, { tables: true })
  return new MemoryKv(new Tables(options.tables))
}

class MemoryKv extends KvStoreBase {
  readonly backend: string = 'memory'
  readonly capabilities: KvCapabilities
  readonly #tables: Tables

  constructor(tables: Tables) {
    super({ location: 'memory', tables: tables.names })
    this.#tables = tables
    this.capabilities = { durable: false, statistics: () => this.#statistics() }
  }

  protected snapshot<T>(run: (reader: KvReader) => T): T {
    return run(this.#tables.begin())
  }

  protected commit(group: KvWriteGroup): void {
    group.run(this.#tables.begin())
  }

  protected async release(): Promise<void> {
    this.#tables.clear()
  }

  #statistics(): KvStatistics {
    this.admit('statistics')
    const tables = this.#tables.statistics()
    const usedBytes = tables.reduce((sum, table) => sum + table.usedBytes, 0)
    return { tables, usedBytes, freeBytes: 0, fileBytes: 0 }
  }
}
