import type { Terminal } from '@saltcod/cli-kit'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { followLog, printLog } from '../job-log.ts'
import { type NodeWaitOptions, waitedJob, waiting } from '../node-wait.ts'

/** Options of `job logs`. */
export interface JobLogsOptions extends JobFlags, NodeWaitOptions {
  readonly follow?: boolean
  readonly tail?: boolean
  readonly executionId?: string
}

/** Prints what a job wrote, or writes: its standard output to ours, its standard error to ours. */
export async function jobLogs(terminal: Terminal, id: string, options: JobLogsOptions): Promise<void> {
  const { follow = false, tail = false, executionId, namespace } = options
  const client = clientFor(terminal, options)
  if (!follow) {
    await printLog(terminal, client.readLog(id, { follow, tail, executionId, namespace }))
    return
  }
  const { Job } = await client.getJob(id, { namespace })
  await waiting(terminal, waitedJob(Job.ID), options, (wait) =>
    followLog(terminal, client, Job.ID, { tail, executionId }, wait),
  )
}
