import type { WireJob } from '@saltcod/bacalhau-records'
import { type Column, type Format, printList, shortId, stateStyle, type Terminal } from '@saltcod/cli-kit'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { tellMissing } from '../missing-records.ts'
import { timeText } from '../words.ts'

/** Options of `job list`. */
export interface JobListOptions extends NodeFlags {
  readonly output: Format
  readonly limit: number
  readonly wide?: boolean
  readonly hideHeader?: boolean
  readonly nextToken?: string
  readonly namespace?: string
  readonly state?: string
  readonly labels?: readonly string[]
  readonly orderBy?: string
  readonly orderReversed?: boolean
}

/** Lists jobs, the newest first, as people look for them; the API's own order is the other one. */
export async function jobList(terminal: Terminal, options: JobListOptions): Promise<void> {
  const { output, wide = false, hideHeader } = options
  const page = await clientFor(terminal, options).listJobs({
    limit: options.limit,
    next_token: options.nextToken,
    namespace: options.namespace,
    state: options.state,
    labels: options.labels,
    order_by: options.orderBy,
    reverse: options.orderReversed === true ? undefined : true,
  })
  printList(terminal, output, page.Items, columns(wide || output === 'csv'), { hideHeader })
  tellMissing(terminal, page.Missing)
  if (page.NextToken !== '') terminal.err(`More: add --next-token ${page.NextToken}\n`)
}

function columns(wide: boolean): Column<WireJob>[] {
  return [
    { name: 'CREATED', value: (job) => timeText(job.CreateTime) },
    { name: 'ID', value: (job) => shortId(job.ID, wide) },
    { name: 'NAME', value: (job) => shortId(job.Name, wide) },
    { name: 'NAMESPACE', value: (job) => job.Namespace },
    { name: 'JOB', value: (job) => job.Tasks[0]?.Engine.Type ?? '' },
    { name: 'TYPE', value: (job) => job.Type },
    {
      name: 'STATE',
      value: (job) => job.State.StateType,
      style: (job) => stateStyle(job.State.StateType),
    },
  ]
}
