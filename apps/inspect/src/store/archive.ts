import type { Terminal } from '@saltcod/cli-kit'
import {
  type Archive,
  type ArchivedJob,
  type ArchiveNotice,
  findInArchive,
  openArchive,
} from '@saltcod/compaction'
import { openJobStore, STORE_TABLES } from '@saltcod/store-core/backend'
import { readStoreRow } from '@saltcod/store-core/format'
import { openMemoryKv } from '@saltcod/store-memory'
import { ownJobs } from '../source/own-source.ts'
import type { JobSource } from '../source/record-source.ts'
import { Sources } from '../source/sources.ts'
import { isArchive } from './locate.ts'
import type { OpenedJobs } from './open-store.ts'
import { orNothing } from './or-nothing.ts'

const SHORT_ID = /^e-[0-9a-f]{4,}[0-9a-f-]*$/

/** Where a command looks: in stores, in an archive, or in both. */
export interface Place {
  /** What was given. */
  readonly argument: string
  /** `null` where an archive alone was given. */
  readonly sources: Sources | null
  readonly archive: Archive | null
  /** Whether each row is to say where it is from. */
  readonly tellsSource: boolean
}

/** Finds out what an argument and the option `--archive` mean. Throws what `openArchive` throws. */
export async function openPlace(
  terminal: Terminal,
  argument: string,
  directory: string | undefined,
): Promise<Place> {
  const alone = directory === undefined && isArchive(argument)
  const path = alone ? argument : directory
  const archive = path === undefined ? null : await readArchive(terminal, path)
  const sources = alone ? null : new Sources(terminal, argument)
  return { argument, sources, archive, tellsSource: archive !== null || sources?.hasGenerations === true }
}

/** Opens an archive for reading, and tells what its user should know. Throws what `openArchive` throws. */
export async function readArchive(terminal: Terminal, path: string): Promise<Archive> {
  const onNotice = ({ message }: ArchiveNotice): void => terminal.err(`Warning: ${message}\n`)
  return await openArchive(path, { readOnly: true, onNotice })
}

/** Puts a job of an archive into a store in memory, so that all that reads a store reads it. */
export async function openArchivedJob(archive: Archive, job: ArchivedJob): Promise<OpenedJobs> {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const store = await openJobStore(kv, { clock: Date.now })
  await store.importJob(job)
  const row = kv.read(readStoreRow)
  if (row === undefined) throw new TypeError('a store that was just made has no row')
  return { kind: 'jobs', path: archive.path, kv, stored: kv, row, store }
}

/**
 * Opens the one job of an archive that a text means, as a source of its own: id, short id, name, or the id of
 * one of its executions. Resolves with `null` where there is none. Throws `AMBIGUOUS_ID`.
 */
export async function findArchivedJob(
  archive: Archive,
  text: string,
  namespace: string,
): Promise<JobSource | null> {
  const entry = await orNothing(findInArchive(archive, text, namespace))
  if (entry !== undefined) {
    const job = await archive.get(entry.id)
    return job === null ? null : ownJobs(await openArchivedJob(archive, job))
  }
  if (!text.startsWith('e')) return null
  for await (const { job } of archive.read({ reverse: true })) {
    const whole = await job()
    const has = whole.executions.some(({ id }) => id === text || (SHORT_ID.test(text) && id.startsWith(text)))
    if (has) return ownJobs(await openArchivedJob(archive, whole))
  }
  return null
}
