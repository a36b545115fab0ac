import { StoreError } from '@saltcod/store-core'
import type { Archive } from './archive.ts'
import type { ArchiveEntry } from './manifest.ts'

const SHORT_ID = /^j-[0-9a-f]{4,}[0-9a-f-]*$/
const MAX_MATCHES = 20

/**
 * Finds a job of an archive by id, by name (in `namespace`, default `default`) or by short id, and resolves with its
 * newest entry. Throws `JOB_NOT_FOUND`, `AMBIGUOUS_ID` with all matches (at most 20), `STORE_DAMAGED`.
 */
export async function findInArchive(
  archive: Pick<Archive, 'list' | 'path'>,
  text: string,
  namespace = 'default',
): Promise<ArchiveEntry> {
  const matches = new Map<string, ArchiveEntry>()
  for await (const entry of archive.list()) {
    const named = entry.name === text && entry.namespace === namespace
    const short = SHORT_ID.test(text) && entry.id.startsWith(text)
    if (entry.id === text || named || short) matches.set(entry.id, entry)
  }
  const [only, ...others] = matches.values()
  const exact = matches.get(text)
  if (exact !== undefined) return exact
  if (only !== undefined && others.length === 0) return only
  if (only === undefined) {
    throw new StoreError('JOB_NOT_FOUND', `job not found in the archive ${archive.path}: ${text}`, {
      id: text,
      hint: 'list the archive to see what is there',
    })
  }
  const ids = [...matches.keys()].slice(0, MAX_MATCHES)
  throw new StoreError('AMBIGUOUS_ID', `${text} stands for several jobs of the archive: ${ids.join(', ')}`, {
    id: text,
    matches: ids,
    hint: 'give a whole id',
  })
}
