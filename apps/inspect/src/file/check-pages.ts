import { type Finding, isStoreError } from '@saltcod/store-core'
import { decodeRecord } from '@saltcod/store-core/format'
import { walkFile } from '@saltcod/store-lmdb/file'

/** What a walk over the pages of a file found. */
export interface PageReport {
  /** Damage of the pages and trees themselves. */
  readonly structure: readonly Finding[]
  /** Pages that the file has for nothing, which does no harm to what it holds. */
  readonly unused: readonly Finding[]
  /** Records that fail their checksum. */
  readonly records: readonly Finding[]
  readonly truncated: boolean
  readonly rows: Readonly<Record<string, number>>
  /** False where no meta page can be read, so that nothing else could be looked at. */
  readonly readable: boolean
}

const UNUSED = 'free-list-short'
const UNUSED_FIX =
  'compact it, which leaves these pages behind; no row is lost, but no backup can be made before'
const FIX = 'stop using the file; restore a backup, or let salvage save every record that can be decoded'

/** Walks the pages of a stopped file and checks the sum of every record, without LMDB. */
export function checkPages(
  path: string,
  maxFindings: number,
  onProgress: (rows: number, ofRows: number) => void = () => undefined,
): PageReport {
  const structure: Finding[] = []
  const unused: Finding[] = []
  const records: Finding[] = []
  const rows: Record<string, number> = {}
  let truncated = false
  const add = (list: Finding[], finding: Finding): void => {
    if (list.length < maxFindings) list.push(finding)
    else truncated = true
  }
  const walk = walkFile(path, {
    problem({ rule, table, message }) {
      const finding = { rule, table, key: '', id: '', message }
      if (rule === UNUSED) add(unused, { ...finding, fix: UNUSED_FIX })
      else add(structure, { ...finding, fix: FIX })
    },
    lost: () => undefined,
    progress: onProgress,
  })
  for (;;) {
    const step = walk.next()
    if (step.done === true)
      return { structure, unused, records, truncated, rows, readable: step.value !== null }
    const { table, key, value } = step.value
    rows[table] = (rows[table] ?? 0) + 1
    const message = table === 'index' ? null : complaint(table, key, value)
    if (message === null) continue
    const fix = 'restore the record from a backup, or let salvage leave it out'
    add(records, { rule: 'record-corrupt', table, key: key.toString('hex'), id: '', message, fix })
  }
}

/** Returns what is wrong with a record; `null` where it is sound. */
function complaint(table: string, key: Buffer, value: Buffer): string | null {
  try {
    decodeRecord(table, key, value)
    return null
  } catch (error) {
    if (isStoreError(error, 'RECORD_CORRUPT')) return error.message
    throw error
  }
}
