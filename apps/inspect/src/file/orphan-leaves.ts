import { isStoreError } from '@saltcod/store-core'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { decodeRecord } from '@saltcod/store-core/format'
import {
  DataFile,
  type FileWalkResult,
  type LostStretch,
  parseHeader,
  parseLeafNode,
  readLargeValue,
} from '@saltcod/store-lmdb/file'

/** A row that was found on a page that no tree reaches any more. */
export interface OrphanRow {
  readonly table: string
  readonly key: Buffer
  readonly value: Buffer
  readonly transaction: bigint
}

/**
 * Searches the pages that no tree reaches for rows of the stretches whose way was lost. A row's checksum covers
 * its table and key, so it tells where it belongs. Of several versions of a row the newest is taken; rows that
 * were removed long ago may be among them, which is why only lost stretches are searched.
 */
export function findOrphanRows(
  path: string,
  walk: FileWalkResult,
  lost: readonly LostStretch[],
): OrphanRow[] {
  const searched = lost.filter((stretch) => !stretch.isLeaf || stretch.table.startsWith('('))
  if (searched.length === 0) return []
  const tables = searched.some(({ table }) => table === '(tables)')
    ? [...STORE_TABLES]
    : [...new Set(searched.map(({ table }) => table))]
  const found = new Map<string, OrphanRow>()
  const file = new DataFile(path)
  try {
    for (let number = 2; number < walk.pages; number += 1) {
      if (walk.seen[number] === 1) continue
      const page = file.read(number * walk.pageBytes, walk.pageBytes)
      const header = page.length < walk.pageBytes ? 'cut' : parseHeader(page, number)
      if (typeof header === 'string' || header.kind !== 'leaf') continue
      for (let index = 0; index < header.count; index += 1) {
        const row = rowOf(file, walk.pageBytes, page, index, tables)
        if (row === null || !searched.some((stretch) => covers(stretch, row))) continue
        const name = `${row.table}:${row.key.toString('hex')}`
        const known = found.get(name)
        if (known === undefined || known.transaction < header.transaction) {
          found.set(name, { ...row, transaction: header.transaction })
        }
      }
    }
  } finally {
    file.close()
  }
  return [...found.values()]
}

function covers(
  { table, from, to }: LostStretch,
  row: { readonly table: string; readonly key: Buffer },
): boolean {
  if (table === '(tables)') return true
  if (table !== row.table) return false
  return (
    (from === null || Buffer.compare(row.key, from) >= 0) && (to === null || Buffer.compare(row.key, to) < 0)
  )
}

function rowOf(
  file: DataFile,
  pageBytes: number,
  page: Buffer,
  index: number,
  tables: readonly string[],
): Omit<OrphanRow, 'transaction'> | null {
  const node = parseLeafNode(page, index)
  if (typeof node === 'string' || node.isTree) return null
  const value = Buffer.isBuffer(node.value)
    ? Buffer.from(node.value)
    : readLargeValue(file, pageBytes, node.value)
  if (value === null) return null
  const key = Buffer.from(node.key)
  const table = tables.find((name) => name !== 'index' && decodes({ table: name, key, value }))
  return table === undefined ? null : { table, key, value }
}

/** Tells whether a record of a table can be decoded. */
export function decodes({
  table,
  key,
  value,
}: {
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array
}): boolean {
  try {
    decodeRecord(table, key, value)
    return true
  } catch (error) {
    if (isStoreError(error)) return false
    throw error
  }
}
