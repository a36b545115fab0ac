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

/** More orders of fields than rows of one table have; those of damaged ones are not worth remembering. */
const MOST_SHAPES = 16

/** Fields in the order in which some rows have them. */
interface Shape {
  readonly fields: readonly string[]
  readonly rename: (row: Fields) => Fields
}

/** Gives fields other names, and leaves their order. */
class Renaming {
  readonly #names: Readonly<Record<string, string>>
  readonly #nameUnknown: (field: string) => string
  readonly #shapes: Shape[] = []
  #latest: Shape = { fields: [], rename: () => ({}) }

  constructor(
    pairs: readonly (readonly [field: string, name: string])[],
    nameUnknown: (field: string) => string,
  ) {
    this.#names = lookup(pairs)
    this.#nameUnknown = nameUnknown
  }

  /** Returns the fields under their other names. */
  rename(row: Fields): Fields {
    const shape = hasShape(row, this.#latest) ? this.#latest : this.#shapeOf(row)
    if (shape === undefined) return this.#renameEach(row)
    this.#latest = shape
    return shape.rename(row)
  }

  #shapeOf(row: Fields): Shape | undefined {
    const known = this.#shapes.find((shape) => hasShape(row, shape))
    if (known !== undefined || this.#shapes.length === MOST_SHAPES) return known
    const fields = Object.keys(row)
    const names = fields.map((field) => this.#names[field])
    // What others wrote is renamed one by one: `__proto__`, for instance, can be copied into no object.
    if (!names.every((name) => name !== undefined)) return undefined
    const shape = { fields, rename: renamerOf(fields, names as string[]) }
    this.#shapes.push(shape)
    return shape
  }

  #renameEach(row: Fields): Fields {
    const renamed: Fields = {}
    for (const field in row) {
      const name = this.#names[field]
      if (name === undefined) putUnknown(renamed, this.#nameUnknown(field), row[field])
      else renamed[name] = row[field]
    }
    return renamed
  }
}

/**
 * The same as one literal, which the engine turns into an object of a known shape: many times cheaper to make, to read
 * and to write as JSON than one that gets its fields by their names. All names are from the tables in the code, none
 * from data.
 */
function renamerOf(fields: readonly string[], names: readonly string[]): (row: Fields) => Fields {
  const pairs = fields.map((field, at) => `${JSON.stringify(names[at])}: row[${JSON.stringify(field)}]`)
  try {
    return new Function('row', `return { ${pairs.join(', ')} }`) as (row: Fields) => Fields
  } catch {
    // Under --disallow-code-generation-from-strings.
    return (row) => Object.fromEntries(fields.map((field, at) => [names[at], row[field]]))
  }
}

function hasShape(row: Fields, { fields }: Shape): boolean {
  let at = 0
  for (const field in row) {
    if (field !== fields[at]) return false
    at += 1
  }
  return at === fields.length
}

/**
 * Gives the fields of rows their names: short ones on disk, where each is written millions of times, and readable
 * ones in memory. Order, absent fields and those of a newer release stay as they are, so a row that is read and
 * written again has the same bytes.
 */
export class FieldNames<Row> {
  readonly #onDisk: Renaming
  readonly #inMemory: Renaming
  readonly #inner: readonly (readonly [onDisk: string, inMemory: string, names: FieldNames<unknown>])[]

  constructor(names: DiskNames<Row>) {
    const pairs = Object.entries<DiskName>(names).map(([field, name]) => ({
      field,
      onDisk: typeof name === 'string' ? name : name[0],
      inner: typeof name === 'string' ? undefined : name[1],
    }))
    this.#onDisk = new Renaming(
      pairs.map(({ field, onDisk }) => [field, onDisk]),
      (field) => (field.startsWith(UNKNOWN) ? field.slice(1) : field),
    )
    this.#inMemory = new Renaming(
      pairs.map(({ field, onDisk }) => [onDisk, field]),
      (name) => UNKNOWN + name,
    )
    this.#inner = pairs.flatMap(({ field, onDisk, inner }) =>
      inner === undefined ? [] : [[onDisk, field, new FieldNames<unknown>(inner)] as const],
    )
  }

  /** Returns a row with its names on disk. */
  toDisk(row: Row): unknown {
    if (!isFields(row)) return row
    const stored = this.#onDisk.rename(row)
    for (const [name, , names] of this.#inner) {
      if (name in stored) stored[name] = names.toDisk(stored[name])
    }
    return stored
  }

  /** Returns a row as it was read with its names in memory. */
  fromDisk(stored: unknown): Row {
    if (!isFields(stored)) return stored as Row
    const row = this.#inMemory.rename(stored)
    for (const [, field, names] of this.#inner) {
      if (field in row) row[field] = names.fromDisk(row[field])
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
