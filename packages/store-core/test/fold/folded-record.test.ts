import { describe, expect, test } from 'vitest'
import {
  decodeFolded,
  decodeStoredRecord,
  encodeFolded,
  isFolded,
  type OwnedRow,
  rowValue,
} from '../../src/fold/folded-record.ts'
import { layoutOf } from '../../src/fold/layout.ts'
import { encodeRecord } from '../../src/kv/envelope.ts'
import { idTuple, tuple } from '../../src/kv/tuple.ts'
import type { TableName } from '../../src/rows/tables.ts'

const JOB_ID = 'j-7c968da7-b344-81bd-b497-abf4a0288787'
const JOB = idTuple('j', JOB_ID)
const EXECUTION_ID = 'e-7c968da9-1111-8222-b333-abf4a0288787'

function row(table: TableName, key: Uint8Array, record: unknown): OwnedRow {
  return { table, key, value: encodeRecord(table, key, 1, record) }
}

/** A job as a store would have it, small enough to be kept in a test. */
const ROWS: readonly OwnedRow[] = [
  row('jobs', JOB, {
    ns: 'default',
    t: 'batch',
    p: 0,
    v: 2,
    r: 4,
    s: 'Completed',
    ss: 1_795_388_836_354,
    b: 99,
  }),
  row('specs', tuple(JOB, 1), { n: JOB_ID, p: 0, c: 1, spec: { tasks: [{ Name: 'grüße' }] }, at: 1 }),
  row('specs', tuple(JOB, 2), { n: JOB_ID, p: 0, c: 1, spec: null, at: 2 }),
  row('executions', idTuple('e', EXECUTION_ID), { j: JOB_ID, v: 2, s: 'Completed' }),
  row('executions', idTuple('e', 'of-my-own'), { j: JOB_ID, v: 2, s: 'Failed' }),
  row('history', tuple(JOB, 7), { at: 1, v: 1, s: 'Pending', r: 1, m: 'two\nlines' }),
  row('history', tuple(JOB, 1_000_000), { at: 2, v: 1, e: EXECUTION_ID, s: 'Completed', r: 2 }),
]

/** What the first release wrote for these rows. It must be read for ever. */
const WRITTEN =
  'AgECAQECB7mEPQIRMHyWjakREYIiszOr9KAoh4cLAm9mLW15LW93bgDDWuZiFKdGsGjGUTSZGltYWBibGZuagMtRS6TCkhhHoBWo0EIUc6wgvejwnsPzU5UQLW0q2APp94JMM0KU1kSaBgka1EChwBBo6wqehgiVtSXl+THgkYtiuB4j1CROTIrBniiNagFCGHdG'

describe('a folded record', () => {
  test('gives back every row byte for byte', () => {
    const record = encodeFolded(layoutOf('jobs'), JOB, ROWS)
    expect(record).not.toBeNull()
    expect(isFolded(record ?? new Uint8Array(0))).toBe(true)
    const back = decodeFolded(layoutOf('jobs'), JOB, record ?? new Uint8Array(0))
    expect(
      back.map((one) => ({ table: one.table, key: Buffer.from(one.key), value: rowValue(one) })),
    ).toEqual(ROWS.map(({ table, key, value }) => ({ table, key: Buffer.from(key), value })))
  })

  test('that an earlier release wrote can be read', () => {
    const back = decodeFolded(layoutOf('jobs'), JOB, Buffer.from(WRITTEN, 'base64'))
    expect(back.map((one) => Buffer.from(rowValue(one)).toString('hex'))).toEqual(
      ROWS.map(({ value }) => Buffer.from(value).toString('hex')),
    )
  })

  test('of an execution has its job and its history', () => {
    const key = idTuple('e', EXECUTION_ID)
    const rows = [
      row('executions', key, { j: JOB_ID, s: 'Failed' }),
      row('specs', key, { id: JOB_ID, spec: {} }),
      row('history', tuple(key, 3), { at: 1, s: 'Created', r: 1 }),
    ]
    const record = encodeFolded(layoutOf('executions'), key, rows) ?? new Uint8Array(0)
    expect(
      decodeFolded(layoutOf('executions'), key, record).map(({ text }) => JSON.parse(text)),
    ).toHaveLength(3)
    expect(decodeStoredRecord('executions', key, record)).toEqual({ j: JOB_ID, s: 'Failed' })
  })

  test('is not made of rows that would not come back', () => {
    const [home] = ROWS
    if (home === undefined) throw new Error('there is no row')
    const attempts: readonly OwnedRow[] = [
      row('history', tuple(JOB, 'text'), {}),
      row('history', tuple(JOB, 1, 2), {}),
      row('history', Buffer.concat([JOB, Buffer.of(0xff)]), {}),
      row('specs', tuple(JOB, -1), {}),
    ]
    for (const attempt of attempts) expect(encodeFolded(layoutOf('jobs'), JOB, [home, attempt])).toBeNull()
    const newer = {
      table: 'specs',
      key: tuple(JOB, 1),
      value: encodeRecord('specs', tuple(JOB, 1), 2, {}),
    } as const
    expect(() => encodeFolded(layoutOf('jobs'), JOB, [home, newer])).toThrow(/unknown record version 2/)
  })

  test('under another key, in another table, or cut is corrupt', () => {
    const record = Buffer.from(WRITTEN, 'base64')
    const corrupt = { code: 'RECORD_CORRUPT' }
    const other = idTuple('j', 'j-7c968da7-b344-81bd-b497-abf4a0288788')
    const read = (key: Uint8Array, bytes: Uint8Array) => () => decodeFolded(layoutOf('jobs'), key, bytes)
    expect(read(other, record)).toThrow(expect.objectContaining(corrupt))
    expect(read(JOB, record.subarray(0, 50))).toThrow(expect.objectContaining(corrupt))
    expect(read(JOB, encodeRecord('jobs', JOB, 1, {}))).toThrow(expect.objectContaining(corrupt))
    expect(() => decodeStoredRecord('executions', JOB, record)).toThrow(expect.objectContaining(corrupt))
    expect(() => decodeStoredRecord('specs', JOB, record)).toThrow(expect.objectContaining(corrupt))
  })
})
