import { lstat } from 'node:fs/promises'
import type { ComputePeer } from '../link/link.ts'
import { publishedDirectory } from '../publishers/local/publish-results.ts'
import { type ArchivePlan, planArchive, readArchive } from '../publishers/local/result-archive.ts'
import { isSafeName } from './layout.ts'

/** Serves the published results below a directory as archives. */
export function createResultPeer(resultsDir: string): Pick<ComputePeer, 'describeResults' | 'readResults'> {
  const plan = async (executionId: string): Promise<ArchivePlan | null> => {
    // An id that can name no directory never got one.
    if (!isSafeName(executionId)) return null
    const directory = publishedDirectory(resultsDir, executionId)
    const status = await lstat(directory).catch(() => null)
    return status?.isDirectory() === true ? await planArchive(directory) : null
  }
  return {
    async describeResults({ executionId }) {
      const planned = await plan(executionId)
      return planned === null ? null : { bytes: planned.bytes, tag: planned.tag }
    },
    async *readResults({ executionId, tag, ...range }) {
      const planned = await plan(executionId)
      if (planned === null || planned.tag !== tag) {
        throw new Error(`the results of execution ${executionId} are not any more as they were`)
      }
      yield* readArchive(planned, range)
    },
  }
}
