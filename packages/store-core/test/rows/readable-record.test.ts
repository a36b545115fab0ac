import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  decodeRecord,
  encodeRecord,
  readableRecord,
  storedRecord,
  tuple,
  versionOf,
} from '../../src/format.ts'
import type { Json } from '../../src/index.ts'

/** Every record of a recorded store, with the name of its table. */
function recorded(kind: string): (readonly [table: string, record: Json])[] {
  const text = readFileSync(new URL(`recorded/${kind}.txt`, import.meta.url), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [table = ''] = line.split(' ')
      return [table, JSON.parse(line.slice(table.length + 1)) as Json]
    })
}

for (const kind of ['jobs', 'executions'] as const) {
  test(`the records of a store of ${kind} have readable names, and get back those that they have on disk`, () => {
    for (const [table, record] of recorded(kind)) {
      const readable = readableRecord(kind, table, record)
      expect(JSON.stringify(storedRecord(kind, table, readable))).toBe(JSON.stringify(record))
      if (table === 'executions')
        expect(readable).toMatchObject({ jobId: expect.any(String), revision: expect.any(Number) })
    }
  })
}

test('a record of another version is read as it stands, and its envelope tells the version', () => {
  const key = tuple('a key')
  const value = encodeRecord('jobs', key, 7, { s: 'Running' })
  expect(versionOf(value)).toBe(7)
  expect(decodeRecord('jobs', key, value)).toEqual({ s: 'Running' })
  expect(versionOf(value.subarray(0, 1))).toBe(1)
  expect(() => decodeRecord('jobs', key, value.subarray(0, 1))).toThrow(/shorter than its header/)
})
