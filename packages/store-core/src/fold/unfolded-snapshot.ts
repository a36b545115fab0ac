import { type KvRange, type KvRow, type KvSnapshot, MAX_KEY_BYTES } from '../kv/contract.ts'
import { corruptRecord } from '../kv/envelope.ts'
import { endOfTuple, tuple } from '../kv/tuple.ts'
import { damagedRow } from '../rows/quarantine.ts'
import type { TableName } from '../rows/tables.ts'
import type { FoldedCache } from './folded-cache.ts'
import { isFolded, isLoose, rowValue, type TextRow } from './folded-record.ts'
import { goOn, inOrder, isWithin, onlyOwner, ownersOf } from './key-range.ts'
import { type FoldLayout, MEMBER_TABLE, ownerOf, POINTER_PREFIX, pointerKey } from './layout.ts'

/** Records that one body keeps taken apart; reading a job with its history needs one. */
const KEPT_OWNERS = 4
const OWNERS_STEP = 200
/** What stands in place of a row whose folded record is damaged: nothing can be decoded from it. */
const DAMAGED = new Uint8Array(0)

interface KeptOwner {
  readonly key: Uint8Array
  readonly rows: readonly TextRow[]
}

/**
 * A snapshot in which every row stands where it stood before its owner was folded. A row that is there costs nothing
 * more than a look at its first byte; only one that is missing is looked for in a folded record.
 *
 * A damaged record behaves as a damaged row: as the owner's own row it is passed on as it is, so that decoding it
 * throws `RECORD_CORRUPT`; looking up another row of the owner throws that too; and in a range a row that cannot be
 * decoded stands for the lost ones.
 */
export class UnfoldedSnapshot<Rows extends KvSnapshot = KvSnapshot> implements KvSnapshot {
  protected readonly rows: Rows
  protected readonly layout: FoldLayout
  /** Keys that were just seen to need no folded record, which spares writing to look again. */
  protected looseOwner: Uint8Array | undefined
  protected looseMember: Uint8Array | undefined
  readonly #cache: FoldedCache
  #kept: KeptOwner[] = []

  constructor(rows: Rows, layout: FoldLayout, cache: FoldedCache) {
    this.rows = rows
    this.layout = layout
    this.#cache = cache
  }

  get(table: string, key: Uint8Array): Uint8Array | undefined {
    const value = this.rows.get(table, key)
    const role = this.layout.roles[table]
    if (role === undefined) return value
    if (role === 'home') {
      if (value !== undefined && isFolded(value)) return this.#homeValue(key, value)
      this.looseOwner = key
      return value
    }
    if (role === 'part') return value ?? this.#partValue(table as TableName, key)
    const found = value ?? this.#memberValue(key)
    if (found === value) this.looseMember = key
    return found
  }

  range(table: string, range: KvRange): KvRow[] {
    const role = this.layout.roles[table]
    if (role === 'part') return this.#partRange(table as TableName, range)
    const rows = this.rows.range(table, range)
    if (role === undefined) return rows
    if (role === 'home') {
      return rows.map((row) =>
        isFolded(row.value) ? { key: row.key, value: this.#homeValue(row.key, row.value) } : row,
      )
    }
    const members = this.#pointers(range).map(({ key }) => ({ key, value: DAMAGED }))
    return inOrder(rows, members, range).map((row) =>
      row.value === DAMAGED
        ? { key: row.key, value: this.#orDamaged(() => this.#memberValue(row.key)) }
        : row,
    )
  }

  keys(table: string, range: KvRange): Uint8Array[] {
    const role = this.layout.roles[table]
    if (role === 'part') {
      const keys = this.rows.keys(table, range)
      const owner = onlyOwner(range)
      // An owner's rows are all loose or all folded.
      if (owner !== null && keys.length > 0) return keys
      if (owner !== null && !this.#isFoldedOwner(owner)) return keys
      return this.#partRange(table as TableName, range)
        .filter(({ value }) => value !== DAMAGED)
        .map(({ key }) => key)
    }
    const keys = this.rows.keys(table, range)
    if (role !== 'member') return keys
    const pointers = this.#pointers(range)
    if (pointers.length === 0) return keys
    return inOrder(
      keys.map((key) => ({ key })),
      pointers,
      range,
    ).map(({ key }) => key)
  }

  /** Forgets what was taken apart, because it has changed. */
  protected forget(): void {
    this.#kept = []
    this.looseOwner = undefined
    this.looseMember = undefined
  }

  /** Returns all rows of a folded owner. Throws `RECORD_CORRUPT`. */
  protected unpack(key: Uint8Array, record: Uint8Array): readonly TextRow[] {
    const kept = this.#kept.find((owner) => Buffer.compare(owner.key, key) === 0)
    if (kept !== undefined) return kept.rows
    const rows = this.#cache.rowsOf(key, record)
    if (this.#kept.length >= KEPT_OWNERS) this.#kept.shift()
    this.#kept.push({ key, rows })
    return rows
  }

  #isFoldedOwner(key: Uint8Array): boolean {
    const value = this.rows.get(this.layout.home, key)
    return value !== undefined && isFolded(value)
  }

  /** Returns all rows of an owner if it is folded; an empty list otherwise. Throws `RECORD_CORRUPT`. */
  #rowsOf(key: Uint8Array): readonly TextRow[] {
    const kept = this.#kept.find((owner) => Buffer.compare(owner.key, key) === 0)
    if (kept !== undefined) return kept.rows
    const value = this.rows.get(this.layout.home, key)
    return value === undefined || isLoose(value) ? [] : this.unpack(key, value)
  }

  #homeValue(key: Uint8Array, record: Uint8Array): Uint8Array {
    try {
      const [home] = this.unpack(key, record)
      return home === undefined ? record : rowValue(home)
    } catch (error) {
      if (damagedRow(error) === null) throw error
      return record
    }
  }

  #partValue(table: TableName, key: Uint8Array): Uint8Array | undefined {
    const owner = ownerOf(key)
    return owner === null ? undefined : this.#find(owner, table, key)
  }

  #memberValue(key: Uint8Array): Uint8Array | undefined {
    const pointer = pointerKey(key)
    const owner = pointer.length > MAX_KEY_BYTES ? undefined : this.rows.get('index', pointer)
    if (owner === undefined) return undefined
    const isKey = owner.length > 0 && owner.length <= MAX_KEY_BYTES
    const value = isKey ? this.#find(owner, MEMBER_TABLE, key) : undefined
    if (value === undefined)
      throw corruptRecord('index', pointer, 'names a job whose record does not have it')
    return value
  }

  #find(owner: Uint8Array, table: TableName, key: Uint8Array): Uint8Array | undefined {
    const row = this.#rowsOf(owner).find((one) => one.table === table && Buffer.compare(one.key, key) === 0)
    return row === undefined ? undefined : rowValue(row)
  }

  #orDamaged(find: () => Uint8Array | undefined): Uint8Array {
    try {
      return find() ?? DAMAGED
    } catch (error) {
      if (damagedRow(error) === null) throw error
      return DAMAGED
    }
  }

  #pointers(range: KvRange): { readonly key: Uint8Array }[] {
    const { gte, gt, lt, lte, reverse = false, limit } = range
    const low =
      gt === undefined ? { gte: tuple(POINTER_PREFIX, gte ?? DAMAGED) } : { gt: tuple(POINTER_PREFIX, gt) }
    let high: KvRange | { readonly lt: Uint8Array } = { lt: endOfTuple(POINTER_PREFIX) }
    if (lt !== undefined) high = { lt: tuple(POINTER_PREFIX, lt) }
    if (lte !== undefined) high = { lt: Buffer.concat([POINTER_PREFIX, lte, Buffer.of(0)]) }
    return this.rows
      .keys('index', { ...low, ...high, reverse, limit })
      .map((key) => ({ key: key.subarray(POINTER_PREFIX.length) }))
  }

  #partRange(table: TableName, range: KvRange): KvRow[] {
    const loose = this.rows.range(table, range)
    const owner = onlyOwner(range)
    if (owner === null) return inOrder(loose, this.#foldedParts(table, range, loose), range)
    if (loose.length > 0) return loose
    try {
      return this.#take(this.#rowsOf(owner), table, range, range.limit)
    } catch (error) {
      if (damagedRow(error) === null) throw error
      const key = tuple(owner, 0)
      return isWithin(key, range) ? [{ key, value: DAMAGED }] : []
    }
  }

  /**
   * Rows of folded owners among those of a range, as far as the loose ones reach. Owners that are damaged are passed
   * over.
   */
  #foldedParts(table: TableName, range: KvRange, loose: readonly KvRow[]): KvRow[] {
    const found: KvRow[] = []
    const last = loose.length < range.limit ? undefined : loose.at(-1)?.key
    const isBeyond = (owner: Uint8Array): boolean => {
      if (last === undefined) return false
      const order = Buffer.compare(owner, ownerOf(last) ?? last)
      return range.reverse === true ? order < 0 : order > 0
    }
    let step = ownersOf(range, OWNERS_STEP)
    for (;;) {
      const owners = this.rows.range(this.layout.home, step)
      for (const { key, value } of owners) {
        if (isBeyond(key)) return found
        if (!isFolded(value)) continue
        try {
          found.push(...this.#take(this.unpack(key, value), table, range, range.limit - found.length))
        } catch (error) {
          if (damagedRow(error) === null) throw error
        }
        if (found.length >= range.limit) return found
      }
      const end = owners.at(-1)
      if (end === undefined || owners.length < OWNERS_STEP) return found
      step = goOn(step, end.key)
    }
  }

  #take(rows: readonly TextRow[], table: TableName, range: KvRange, limit: number): KvRow[] {
    const wanted = rows.filter((row) => row.table === table && isWithin(row.key, range))
    if (range.reverse === true) wanted.reverse()
    return wanted.slice(0, limit).map((row) => ({ key: row.key, value: rowValue(row) }))
  }
}
