import { type Column, type Format, printList, shortId, type Terminal } from '@saltcod/cli-kit'
import type { ArchivedItem } from '../../archive/archive-routes.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { rfcText } from '../words.ts'

/** Options of `archive list`. */
export interface ArchiveListOptions extends NodeFlags {
  readonly output: Format
  readonly limit: number
  readonly wide?: boolean
  readonly hideHeader?: boolean
  readonly nextToken?: string
  readonly namespace?: string
}

/** Lists the jobs of a node's archive. */
export async function archiveList(terminal: Terminal, options: ArchiveListOptions): Promise<void> {
  const { output, wide = false, hideHeader } = options
  const page = await clientFor(terminal, options).listArchive({
    limit: options.limit,
    next_token: options.nextToken,
    namespace: options.namespace,
  })
  printList(terminal, output, page.Items, columns(wide || output === 'csv'), { hideHeader })
  if (page.NextToken !== '') terminal.err(`More: add --next-token ${page.NextToken}\n`)
}

function columns(wide: boolean): Column<ArchivedItem>[] {
  return [
    { name: 'ARCHIVED', value: (job) => rfcText(job.ArchivedAt) },
    { name: 'ID', value: (job) => shortId(job.ID, wide) },
    { name: 'NAME', value: (job) => shortId(job.Name, wide) },
    { name: 'NAMESPACE', value: (job) => job.Namespace },
    { name: 'STATE', value: (job) => job.State },
    { name: 'FINISHED', value: (job) => rfcText(job.FinishedAt) },
  ]
}
