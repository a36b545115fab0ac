import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { printLog } from '../job-wait.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `job logs`. */
export interface JobLogsOptions extends JobFlags {
  readonly follow?: boolean
  readonly tail?: boolean
  readonly executionId?: string
}

/** Prints what a job wrote: its standard output to ours, its standard error to ours. */
export async function jobLogs(terminal: Terminal, id: string, options: JobLogsOptions): Promise<void> {
  const { follow = false, tail = false, executionId, namespace } = options
  const parts = clientFor(terminal, options).readLog(id, { follow, tail, executionId, namespace })
  await printLog(terminal, parts)
}
