/** A name on disk, and for a field that is a row itself those of its own fields. */
export type DiskName = string | readonly [name: string, fields: { readonly [field: string]: DiskName }]

/**
 * The name on disk of each field of a row. Every release reads them, so none ever changes or is used again for
 * something else.
 */
export type DiskNames<Row> = { readonly [Field in keyof Row]-?: DiskName }

type Fields = Record<string, unknown>

/**
 * Before the name of a field that this release does not know, in memory, so that it is taken for none that it knows.
 */
const UNKNOWN = '?'

/**
 * Gives the fields of rows their names: short ones on disk, where each is written millions of times, and readable
 * ones in memory. Order, absent fields and those of a newer release stay as they are, so a row that is read and
 * written again has the same bytes.
 */
export class FieldNames<Row> {
  readonly #onDisk: Readonly<Record<string, string>>
  readonly #inMemory: Readonly<Record<string, string>>
  readonly #inner: readonly (readonly [onDisk: string, inMemory: string, names: FieldNames<unknown>])[]

  constructor(names: DiskNames<Row>) {
    const pairs = Object.entries<DiskName>(names).map(([field, name]) => ({
      field,
      onDisk: typeof name === 'string' ? name : name[0],
      inner: typeof name === 'string' ? undefined : name[1],
    }))
    this.#onDisk = lookup(pairs.map(({ field, onDisk }) => [field, onDisk]))
    this.#inMemory = lookup(pairs.map(({ field, onDisk }) => [onDisk, field]))
    this.#inner = pairs.flatMap(({ field, onDisk, inner }) =>
      inner === undefined ? [] : [[onDisk, field, new FieldNames<unknown>(inner)] as const],
    )
  }

  /** Returns a row with its names on disk. */
  toDisk(row: Row): unknown {
    if (!isFields(row)) return row
    const onDisk = this.#onDisk
    const stored: Fields = {}
    // One loop costs less than a list of the entries, and than asking for each field by its name.
    for (const field in row) {
      const name = onDisk[field]
      if (name === undefined)
        putUnknown(stored, field.startsWith(UNKNOWN) ? field.slice(1) : field, row[field])
      else stored[name] = row[field]
    }
    if (this.#inner.length > 0) {
      for (const [name, , names] of this.#inner) {
        if (name in stored) stored[name] = names.toDisk(stored[name])
      }
    }
    return stored
  }

  /** Returns a row as it was read with its names in memory. */
  fromDisk(stored: unknown): Row {
    if (!isFields(stored)) return stored as Row
    const inMemory = this.#inMemory
    const row: Fields = {}
    for (const name in stored) {
      const field = inMemory[name]
      if (field === undefined) row[UNKNOWN + name] = stored[name]
      else row[field] = stored[name]
    }
    if (this.#inner.length > 0) {
      for (const [, field, names] of this.#inner) {
        if (field in row) row[field] = names.fromDisk(row[field])
      }
    }
    return row as Row
  }
}

/** A name such as `constructor` must not be found. */
function lookup(pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  return Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(pairs))
}

/** A record of another shape is damaged, or a list; either has no names. */
function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An assignment to `__proto__` would make no field. */
function putUnknown(stored: Fields, name: string, value: unknown): void {
  Object.defineProperty(stored, name, { value, enumerable: true, configurable: true, writable: true })
}
