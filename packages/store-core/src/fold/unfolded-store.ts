import type {
  KvCapabilities,
  KvFailure,
  KvSnapshot,
  KvStore,
  KvTransaction,
  KvWriteOptions,
} from '../kv/contract.ts'
import type { StoreKind } from '../rows/meta.ts'
import { FoldedCache } from './folded-cache.ts'
import { isFolded, rowValue } from './folded-record.ts'
import { type FoldLayout, layoutOf, MEMBER_TABLE, ownerOf, pointerKey } from './layout.ts'
import { UnfoldedSnapshot } from './unfolded-snapshot.ts'

/**
 * Returns a store in which folded owners look as if they had never been folded: for readers every row stands in its
 * table, and the first change of any row of an owner puts all of them back. Closing it closes the store beneath.
 */
export function unfoldedStore(kv: KvStore, kind: StoreKind): KvStore {
  return new UnfoldedStore(kv, layoutOf(kind))
}

class UnfoldedStore implements KvStore {
  readonly #kv: KvStore
  readonly #layout: FoldLayout
  readonly #cache: FoldedCache

  constructor(kv: KvStore, layout: FoldLayout) {
    this.#kv = kv
    this.#layout = layout
    this.#cache = new FoldedCache(layout)
  }

  get backend(): string {
    return this.#kv.backend
  }

  get location(): string {
    return this.#kv.location
  }

  get readOnly(): boolean {
    return this.#kv.readOnly
  }

  get capabilities(): KvCapabilities {
    return this.#kv.capabilities
  }

  get failed(): Promise<KvFailure> {
    return this.#kv.failed
  }

  read<T>(body: (snapshot: KvSnapshot) => T): T {
    return this.#kv.read((rows) => body(new UnfoldedSnapshot(rows, this.#layout, this.#cache)))
  }

  write<T>(body: (transaction: KvTransaction) => T, options?: KvWriteOptions): Promise<T> {
    return this.#kv.write((rows) => body(new UnfoldedTransaction(rows, this.#layout, this.#cache)), options)
  }

  close(): Promise<void> {
    return this.#kv.close()
  }
}

class UnfoldedTransaction extends UnfoldedSnapshot<KvTransaction> implements KvTransaction {
  put(table: string, key: Uint8Array, value: Uint8Array): void {
    if (this.layout.roles[table] !== undefined) this.#unfoldFor(table, key)
    this.rows.put(table, key, value)
  }

  remove(table: string, key: Uint8Array): boolean {
    if (this.layout.roles[table] !== undefined) this.#unfoldFor(table, key)
    return this.rows.remove(table, key)
  }

  /** Puts all rows back of the owner that a row is folded into, if it is. Throws `RECORD_CORRUPT`. */
  #unfoldFor(table: string, key: Uint8Array): void {
    const owner = this.#ownerFor(table, key)
    if (owner === null || isSame(owner, this.looseOwner)) return
    const record = this.rows.get(this.layout.home, owner)
    if (record === undefined || !isFolded(record)) {
      this.looseOwner = owner
      return
    }
    for (const row of this.unpack(owner, record)) {
      this.rows.put(row.table, row.key, rowValue(row))
      if (this.layout.hasMembers && row.table === MEMBER_TABLE) this.rows.remove('index', pointerKey(row.key))
    }
    this.forget()
    this.looseOwner = owner
  }

  #ownerFor(table: string, key: Uint8Array): Uint8Array | null {
    const role = this.layout.roles[table]
    if (role === 'home') return key
    if (role === 'part') return ownerOf(key)
    if (isSame(key, this.looseMember) || this.rows.get(table, key) !== undefined) return null
    return this.rows.get('index', pointerKey(key)) ?? null
  }
}

function isSame(key: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && (key === other || Buffer.compare(key, other) === 0)
}
