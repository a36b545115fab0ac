import { lstat } from 'node:fs/promises'
import type { ArchiveDemand, ResultArchive, ResultsDemand } from '../link/link.ts'
import { publishedDirectory } from '../publishers/local/publish-results.ts'
import { type ArchivePlan, planArchive, readArchive } from '../publishers/local/result-archive.ts'
import { isSafeName } from './layout.ts'

/** Yields what archive there is of the published results of an execution below a directory; nothing without any. */
export async function* describeResults(
  resultsDir: string,
  { executionId }: ArchiveDemand,
): AsyncGenerator<ResultArchive, void, undefined> {
  const planned = await plan(resultsDir, executionId)
  if (planned !== null) yield { bytes: planned.bytes, tag: planned.tag }
}

/** Yields a part of that archive. Throws where it is not the one that was described. */
export async function* readResults(
  resultsDir: string,
  { executionId, tag, from, to }: ResultsDemand,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const planned = await plan(resultsDir, executionId)
  if (planned === null || planned.tag !== tag) {
    throw new Error(`the results of execution ${executionId} are not any more as they were`)
  }
  yield* readArchive(planned, { from, to, signal })
}

async function plan(resultsDir: string, executionId: string): Promise<ArchivePlan | null> {
  // An id that can name no directory never got one.
  if (!isSafeName(executionId)) return null
  const directory = publishedDirectory(resultsDir, executionId)
  const status = await lstat(directory).catch(() => null)
  return status?.isDirectory() === true ? await planArchive(directory) : null
}
