import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { printLog } from '../job-wait.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `job logs`. */
export interface JobLogsOptions extends NodeFlags {
  readonly follow?: boolean
  readonly tail?: boolean
  readonly executionId?: string
}

/** Prints what a job wrote: its standard output to ours, its standard error to ours. */
export async function jobLogs(terminal: Terminal, id: string, options: JobLogsOptions): Promise<void> {
  const { follow = false, tail = false, executionId } = options
  const lines = clientFor(terminal, options).readLog(id, { follow, tail, executionId })
  await printLog(terminal, lines)
}
