import { STORE_TABLES } from '@saltcod/store-core/backend'
import { REBUILT_TABLES } from '@saltcod/store-core/format'
import type { LostStretch } from '@saltcod/store-lmdb/file'
import type { LeftOutFile } from './rebuild-into.ts'

/** The tables that a new store takes from an old one; the others are made anew. */
export const RECORD_TABLES: readonly string[] = STORE_TABLES.filter((table) => !isRebuilt(table))

/** What a walk calls the table that leads to all others. */
const ALL_TABLES = '(tables)'

/** Tells whether a table is made anew from the records, so that nothing is lost with it. */
export function isRebuilt(table: string): boolean {
  return (REBUILT_TABLES as readonly string[]).includes(table)
}

/** Tells whether damage in a table may have cost records. */
export function mayCostRecords(table: string): boolean {
  return table === ALL_TABLES || RECORD_TABLES.includes(table)
}

/** Notes every stretch that may have held records among what was left out. */
export function noteLost(lost: readonly LostStretch[], leftOut: LeftOutFile): void {
  for (const stretch of lost) {
    const { table, page } = stretch
    if (!mayCostRecords(table)) continue
    const where = page === 0 ? 'were behind a damaged row' : `were on the damaged page ${page}, or behind it`
    const reason = `${boundsOf(stretch)} ${where}, as far as they were not found elsewhere`
    leftOut.add({ table, key: '', id: '', reason })
  }
}

function boundsOf({ table, from, to }: LostStretch): string {
  const all = table === ALL_TABLES
  const text = (bytes: Buffer): string =>
    all ? JSON.stringify(bytes.toString('utf8').replace(/\0$/, '')) : bytes.toString('hex')
  const begin = from === null ? 'the beginning' : text(from)
  const end = to === null ? 'the end' : text(to)
  return `${all ? 'all rows of the tables' : 'rows'} from ${begin} to ${end}`
}
