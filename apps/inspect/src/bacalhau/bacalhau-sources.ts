import { createHash } from 'node:crypto'
import type { Tell } from '@saltcod/bacalhau-records'
import type { RecordSource } from '../source/record-source.ts'
import { BacalhauNode, explainBacalhauJob } from './bacalhau-explanation.ts'
import type { BacalhauFile, BacalhauFiles } from './bacalhau-files.ts'
import { executionsOverview, type FileFacts, jobsOverview } from './bacalhau-overview.ts'
import { BacalhauExecutionReader } from './compute-reader.ts'
import { JobFile } from './job-file.ts'
import { BacalhauJobReader } from './job-reader.ts'
import { nodeNameOf, nodeOfPath } from './node-name.ts'
import { processOf } from './running-bacalhau.ts'

/** Makes sources of the files of a node of Bacalhau: jobs first, of each kind the newest generation first. */
export async function bacalhauSources(files: BacalhauFiles, tell: Tell): Promise<readonly RecordSource[]> {
  const nodeId = await nodeNameOf(files)
  const factsOf = (file: BacalhauFile, newer: readonly BacalhauFile[]): FileFacts => ({
    file,
    argument: files.path,
    nodeId: nodeOfPath(file.path) ?? nodeId,
    processId: processOf([file]),
    isLeft: newer.length > 0,
  })
  return [
    ...files.jobs.map((file): RecordSource => {
      const newer = files.jobs.filter(({ generation }) => generation < file.generation)
      const facts = factsOf(file, newer)
      const jobs = new JobFile(file, newer, tell)
      const store = new BacalhauJobReader(jobs)
      return {
        ...sharedOf(facts),
        kind: 'jobs',
        store,
        overview: async (nowMs) => await jobsOverview(jobs, facts, nowMs),
        explain: async (terminal, job) => await explainBacalhauJob(terminal, store, facts, job),
      }
    }),
    ...files.executions.map((file): RecordSource => {
      const newer = files.executions.filter(({ generation }) => generation < file.generation)
      const facts = factsOf(file, newer)
      const store = new BacalhauExecutionReader(file, newer, tell)
      return {
        ...sharedOf(facts),
        kind: 'executions',
        store,
        overview: async (nowMs) => await executionsOverview(store, facts, nowMs),
        node: (terminal) => new BacalhauNode(terminal, store, file, facts),
      }
    }),
  ]
}

/** A file of Bacalhau has no id of its own; nothing in it counts what it has. */
function sharedOf({ file: { path }, nodeId }: FileFacts) {
  return {
    path,
    storeId: createHash('sha256').update(path).digest('hex').slice(0, 8),
    nodeId,
    tellMissing: async () => undefined,
  }
}
