import { basename, dirname } from 'node:path'
import type { BacalhauFiles } from './bacalhau-files.ts'
import { eachBacalhauExecution, eachBacalhauJob } from './bacalhau-records.ts'

/** Finds the id of the node whose files these are; `null` where they do not tell. */
export async function nodeNameOf(files: BacalhauFiles): Promise<string | null> {
  for (const { path } of [...files.jobs, ...files.executions]) {
    const name = nodeOfPath(path)
    if (name !== null) return name
  }
  for await (const { whole } of eachBacalhauJob(files, 'job', () => {})) {
    const meta = whole.versions.at(-1)?.spec.Meta ?? {}
    const name = meta['bacalhau.org/orchestrator.id'] ?? meta['bacalhau.org/requester.id']
    if (name !== undefined && name !== '') return name
  }
  for await (const { whole } of eachBacalhauExecution(files, () => {})) return whole.execution.requesterId
  return null
}

/** Finds the id of a node in the directory of its store, as releases up to v1.2.1 named it; `null` where none is. */
export function nodeOfPath(path: string): string | null {
  return /^(.+)-(?:requester|compute)$/.exec(basename(dirname(path)))?.[1] ?? null
}
