import type { WireHistory } from '@saltcod/bacalhau-records'
import { type Column, type Format, oneLine, printList, shortId, type Terminal } from '@saltcod/cli-kit'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { tellMissing } from '../missing-records.ts'
import { rfcText } from '../words.ts'

/** Options of `job history`. */
export interface JobHistoryOptions extends JobFlags {
  readonly output: Format
  readonly wide?: boolean
  readonly hideHeader?: boolean
  readonly eventType?: string
  readonly executionId?: string
  readonly limit?: number
  readonly nextToken?: string
  readonly version?: number
}

/** Lists the history of a job, oldest first. */
export async function jobHistory(terminal: Terminal, id: string, options: JobHistoryOptions): Promise<void> {
  const client = clientFor(terminal, options)
  const items: WireHistory[] = []
  const wanted = options.limit || Number.POSITIVE_INFINITY
  let token = options.nextToken
  let missing = 0
  // A job that goes on always has a next token, so an empty page is the end for now.
  do {
    const page = await client.listHistory(id, {
      namespace: options.namespace,
      event_type: options.eventType,
      execution_id: options.executionId,
      job_version: options.version,
      limit: Math.min(wanted - items.length, 1000),
      next_token: token,
    })
    items.push(...page.Items)
    missing += page.Missing ?? 0
    token = page.Items.length === 0 ? '' : page.NextToken
  } while (token !== '' && items.length < wanted)
  const { output, wide = false, hideHeader } = options
  printList(terminal, output, items, historyColumns(wide || output === 'csv'), { hideHeader })
  tellMissing(terminal, missing)
  if (token !== '') terminal.err(`More: add --next-token ${token}\n`)
}

/** The columns of a table of history. */
export function historyColumns(wide: boolean): Column<WireHistory>[] {
  return [
    { name: 'TIME', value: (entry) => rfcText(entry.Time) },
    { name: 'LEVEL', value: (entry) => (entry.Type === 'JobLevel' ? 'job' : 'execution') },
    { name: 'EXEC. ID', value: (entry) => shortId(entry.ExecutionID ?? '', wide) },
    { name: 'TOPIC', value: (entry) => entry.Event.Topic },
    { name: 'EVENT', value: (entry) => oneLine(entry.Event.Message) },
  ]
}
