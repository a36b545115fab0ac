import type { Format, Terminal } from '@saltcod/cli-kit'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { rfcText } from '../words.ts'
import { printDescription } from './job-describe.ts'

/** Options of `archive show`. */
export interface ArchiveShowOptions extends NodeFlags {
  readonly output: Format
  readonly wide?: boolean
  readonly namespace?: string
}

/** Tells all about a job of a node's archive. */
export async function archiveShow(
  terminal: Terminal,
  id: string,
  { output, wide = false, namespace, ...flags }: ArchiveShowOptions,
): Promise<void> {
  const answer = await clientFor(terminal, flags).getArchived(id, { namespace })
  printDescription(terminal, answer, { output, wide })
  if (output === 'table') terminal.out(`\nArchived ${rfcText(answer.ArchivedAt)}\n`)
}
