import fc from 'fast-check'
import { expect, test } from 'vitest'
import { COMPUTE_NAMES } from '../../src/executions/compute-row.ts'
import { EVALUATION_NAMES } from '../../src/jobs/evaluation-row.ts'
import { EXECUTION_NAMES } from '../../src/jobs/execution-row.ts'
import { JOB_NAMES, SPEC_NAMES } from '../../src/jobs/job-row.ts'
import type { KvSnapshot, KvTransaction } from '../../src/kv/contract.ts'
import { tuple } from '../../src/kv/tuple.ts'
import { type DiskName, type DiskNames, FieldNames } from '../../src/rows/field-names.ts'
import { RecordTable } from '../../src/rows/record-table.ts'

type Names = Readonly<Record<string, DiskName>>
type Fields = Record<string, unknown>

const TABLES: Readonly<Record<string, Names>> = {
  job: JOB_NAMES,
  specification: SPEC_NAMES,
  execution: EXECUTION_NAMES,
  'compute execution': COMPUTE_NAMES,
  evaluation: EVALUATION_NAMES,
}
const KEY = tuple('a key')

const onDisk = (name: DiskName): string => (typeof name === 'string' ? name : name[0])

/** What a row is expected to be on disk: the same fields in the same order, under other names. */
function shortForm(names: Names, row: Fields): Fields {
  const fields = Object.entries(row).map(([field, value]) => {
    const name = names[field]
    if (name === undefined) return [field.slice(1), value]
    const inner = typeof name === 'string' || typeof value !== 'object' || value === null
    return [onDisk(name), inner ? value : shortForm(name[1], value as Fields)]
  })
  return Object.fromEntries(fields) as Fields
}

/** Rows with some of the fields of a table, in any order, and fields of a newer release among them. */
function anyRow(names: Names, values: fc.Arbitrary<unknown>): fc.Arbitrary<Fields> {
  const known = fc.constantFrom(...Object.entries(names)).chain(([field, name]) => {
    const inner = typeof name === 'string' ? values : anyRow(name[1], values)
    return fc.tuple(fc.constant(field), inner)
  })
  const unknown = fc
    .oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '0', ...Object.keys(names)))
    .filter((name) => !Object.values(names).map(onDisk).includes(name))
    .map((name) => `?${name}`)
  const entry = fc.oneof({ weight: 5, arbitrary: known }, fc.tuple(unknown, values))
  return fc.uniqueArray(entry, { selector: ([name]) => name }).map((entries) => Object.fromEntries(entries))
}

/** A table that keeps the one row that was written last. */
function makeTable(names: Names): {
  table: RecordTable<Fields>
  rows: KvTransaction & KvSnapshot
  text: () => string
} {
  let stored: Uint8Array = new Uint8Array(0)
  const put: KvTransaction['put'] = (_table, _key, value) => {
    stored = value
  }
  const rows = { put, get: () => stored } as unknown as KvTransaction
  const table = new RecordTable<Fields>('jobs', 1, names as DiskNames<Fields>)
  return { table, rows, text: () => Buffer.from(stored.subarray(2, stored.length - 4)).toString() }
}

for (const [kind, names] of Object.entries(TABLES)) {
  test(`a row of a ${kind} is on disk what its short form is as JSON, and comes back as it was`, () => {
    const { table, rows, text } = makeTable(names)
    fc.assert(
      fc.property(anyRow(names, fc.jsonValue()), (row) => {
        table.put(rows, KEY, row)
        expect(text()).toBe(JSON.stringify(shortForm(names, row)))
        const back = table.get(rows, KEY) as Fields
        expect(back).toEqual(JSON.parse(JSON.stringify(row)))
        // Written again it has the same bytes, so it kept the order of its fields.
        const before = text()
        table.put(rows, KEY, back)
        expect(text()).toBe(before)
      }),
    )
  })

  test(`what JSON has no words for is left out or changed in a row of a ${kind} as JSON does it`, () => {
    const { table, rows, text } = makeTable(names)
    const odd = fc.constantFrom(
      undefined,
      Number.NaN,
      -0,
      new Date(0),
      { a: undefined },
      [undefined],
      Infinity,
    )
    fc.assert(
      fc.property(anyRow(names, fc.oneof(odd, fc.jsonValue())), (row) => {
        table.put(rows, KEY, row)
        expect(text()).toBe(JSON.stringify(shortForm(names, row)))
        expect(table.written(rows, KEY, row)).toEqual(JSON.parse(JSON.stringify(row)))
      }),
    )
  })

  test(`no two fields of a ${kind} have one name on disk`, () => {
    const short = Object.values(names).map(onDisk)
    expect(new Set(short).size).toBe(short.length)
  })
}

test('a field of a newer release is taken for none that this one knows, and is written as it was read', () => {
  const names = new FieldNames<{ state: string }>({ state: 's' })
  const row = names.fromDisk(JSON.parse('{"s":"Running","state":"other","?x":1,"__proto__":{"s":"a"}}'))
  expect(row.state).toBe('Running')
  expect(JSON.stringify(names.toDisk(row))).toBe(
    '{"s":"Running","state":"other","?x":1,"__proto__":{"s":"a"}}',
  )
})

test('a record that is no object is left as it is', () => {
  const names = new FieldNames<unknown>({} as DiskNames<unknown>)
  for (const value of [null, 1, 'text', [1, 2], true]) expect(names.fromDisk(value)).toEqual(value)
})
