import type { WireJob } from '@saltcod/bacalhau-records'
import { printable, type Terminal } from '@saltcod/cli-kit'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { followLog, printLog } from '../job-log.ts'
import { tellShares } from '../job-shares.ts'
import { type NodeWaitOptions, waitedJob, waiting } from '../node-wait.ts'

/** Options of `job logs`. */
export interface JobLogsOptions extends JobFlags, NodeWaitOptions {
  readonly follow?: boolean
  readonly tail?: boolean
  readonly executionId?: string
  readonly version?: number
}

/** Prints what a job wrote, or writes: its standard output to ours, its standard error to ours. */
export async function jobLogs(terminal: Terminal, id: string, options: JobLogsOptions): Promise<void> {
  const { follow = false, tail = false, executionId, namespace, version } = options
  const client = clientFor(terminal, options)
  if (!follow) {
    // From the beginning, so that the node says whose it is.
    const request = { follow, tail, executionId, from: '', namespace, version }
    const printed = await printLog(terminal, client.readLog(id, request))
    if (executionId !== undefined && !printed.isSilent) return
    const { Job } = await client.getJob(id, { namespace })
    if (printed.isSilent) await tellSilence(terminal, Job)
    if (executionId !== undefined || printed.executionId === undefined) return
    await tellShares(terminal, client, Job.ID, printed.executionId)
    return
  }
  const { Job } = await client.getJob(id, { namespace })
  await tellSilence(terminal, Job)
  await waiting(terminal, waitedJob(Job.ID), options, (wait) =>
    followLog(terminal, client, Job.ID, { tail, executionId, version }, wait),
  )
}

/** Says of a job of an engine without processes that it is not for lack of words that there are none. */
async function tellSilence(terminal: Terminal, { Tasks }: Pick<WireJob, 'Tasks'>): Promise<void> {
  const { engineKind } = await import('../../engines/kinds.ts')
  const kind = engineKind(Tasks[0]?.Engine.Type ?? '')
  if (kind === undefined || kind.writesOutput) return
  terminal.err(`Note: the engine ${printable(kind.type)} runs no process, and so writes no output\n`)
}
