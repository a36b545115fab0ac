import type { WireExecution } from '@saltcod/bacalhau-records'
import { type Column, type Format, oneLine, printList, shortId, type Terminal } from '@saltcod/cli-kit'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { tellMissing } from '../missing-records.ts'
import { desiredText, exitCodeText, stateText, timeText } from '../words.ts'

/** Options of `job executions`. */
export interface JobExecutionsOptions extends JobFlags {
  readonly output: Format
  readonly limit: number
  readonly wide?: boolean
  readonly hideHeader?: boolean
  readonly nextToken?: string
  readonly orderBy?: string
  readonly orderReversed?: boolean
  readonly allVersions?: boolean
  readonly version?: number
}

/** Lists the executions of a job. */
export async function jobExecutions(
  terminal: Terminal,
  id: string,
  options: JobExecutionsOptions,
): Promise<void> {
  const { output, wide = false, hideHeader } = options
  const page = await clientFor(terminal, options).listExecutions(id, {
    namespace: options.namespace,
    limit: options.limit,
    next_token: options.nextToken,
    order_by: options.orderBy,
    reverse: options.orderReversed === true ? true : undefined,
    job_version: options.version,
    all_job_versions: options.allVersions === true ? true : undefined,
  })
  printList(terminal, output, page.Items, executionColumns(wide || output === 'csv'), { hideHeader })
  tellMissing(terminal, page.Missing)
  if (page.NextToken !== '') terminal.err(`More: add --next-token ${page.NextToken}\n`)
}

/** The columns of a table of executions. */
export function executionColumns(wide: boolean): Column<WireExecution>[] {
  return [
    { name: 'CREATED', value: (execution) => timeText(execution.CreateTime) },
    { name: 'MODIFIED', value: (execution) => timeText(execution.ModifyTime) },
    { name: 'ID', value: (execution) => shortId(execution.ID, wide) },
    { name: 'NODE', value: (execution) => shortId(execution.NodeID, wide) },
    { name: 'REV.', value: (execution) => String(execution.Revision) },
    { name: 'STATE', value: stateText },
    { name: 'DESIRED', value: desiredText },
    { name: 'EXIT', value: exitCodeText },
    { name: 'REASON', value: (execution) => execution.EndReason ?? '' },
    { name: 'COMMENT', value: (execution) => oneLine(execution.ComputeState.Message) },
  ]
}
