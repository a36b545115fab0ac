import { Failure } from '@saltcod/cli-kit'
import type { Archive, ArchiveEntry } from '@saltcod/compaction'
import { EXIT } from '../exit-code.ts'
import { ownJobs } from '../source/own-source.ts'
import type { JobSource } from '../source/record-source.ts'
import { withJobsOf } from '../source/sources.ts'
import { openArchivedJob, type Place } from './archive.ts'
import type { Paging } from './store-pages.ts'

/** How a cursor into an archive begins: entries passed over, and rows of the next one that were printed. */
const CURSOR = /^archive:(\d{1,12})\.(\d{1,12})$/

/** What is wanted of an archive. */
export interface ArchivedQuery<T> extends Paging {
  /** The newest first. */
  readonly reverse: boolean
  /** Whether an entry may hold anything that is wanted; what it refuses is not read. */
  readonly wanted: (entry: ArchiveEntry) => boolean
  /** Returns the wanted rows of a job, which is opened as a store of its own. */
  readonly select: (source: JobSource) => Promise<readonly T[]>
}

/** Tells whether a cursor goes on in an archive, so that the stores before it were read to their end. */
export function isArchiveCursor(cursor: string | undefined): boolean {
  return cursor !== undefined && CURSOR.test(cursor)
}

/**
 * Visits rows of the jobs of an archive, in the order in which these were archived, each job once: as it was archived
 * last, and only where it is in none of the stores. Returns the cursor behind the last row; `null` at the end.
 */
export async function readArchivedRows<T>(
  { sources, archive }: Place & { readonly archive: Archive },
  query: ArchivedQuery<T>,
  visit: (row: T) => void,
): Promise<string | null> {
  const { limit, reverse, wanted, select } = query
  const [passed, printed] = placeOf(query.cursor)
  return await withJobsOf(sources, async (stores) => {
    const newest = await newestPlaces(archive)
    let left = limit ?? Number.MAX_SAFE_INTEGER
    let place = reverse ? archive.totals.jobs : -1
    let seen = 0
    for await (const { entry, job } of archive.read({ reverse })) {
      place += reverse ? -1 : 1
      seen += 1
      if (seen <= passed || newest.get(entry.id) !== place || !wanted(entry)) continue
      if (await isThere(stores, entry.id)) continue
      const opened = await openArchivedJob(archive, await job())
      const rows = await select(ownJobs(opened))
      await opened.kv.close()
      const from = seen === passed + 1 ? printed : 0
      for (const [index, row] of rows.entries()) {
        if (index < from) continue
        if (left === 0) return `archive:${seen - 1}.${index}`
        visit(row)
        left -= 1
      }
    }
    return null
  })
}

function placeOf(cursor: string | undefined): [number, number] {
  if (cursor === undefined) return [0, 0]
  const match = CURSOR.exec(cursor)
  if (match !== null) return [Number(match[1]), Number(match[2])]
  throw new Failure(EXIT.usage, `the cursor ${cursor} is none of this listing`, {
    hint: 'use the one that an earlier listing with the same options printed',
  })
}

/** Where the newest copy of each job stands. */
async function newestPlaces(archive: Archive): Promise<Map<string, number>> {
  const places = new Map<string, number>()
  let place = 0
  for await (const { id } of archive.list()) {
    places.set(id, place)
    place += 1
  }
  return places
}

async function isThere(stores: readonly JobSource[], jobId: string): Promise<boolean> {
  for (const { store } of stores) if ((await store.getJob(jobId)) !== null) return true
  return false
}
