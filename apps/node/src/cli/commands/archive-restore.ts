import { type Format, printWhole, type Terminal } from '@saltcod/cli-kit'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'

/** Options of `archive restore`. */
export interface ArchiveRestoreOptions extends NodeFlags {
  readonly output: Format
  readonly namespace?: string
}

/** Brings a job back from a node's archive. */
export async function archiveRestore(
  terminal: Terminal,
  id: string,
  { output, namespace, ...flags }: ArchiveRestoreOptions,
): Promise<void> {
  const answer = await clientFor(terminal, flags).restoreArchived(id, { namespace })
  if (output !== 'table') {
    printWhole(terminal, output, answer)
    return
  }
  terminal.out(`Job ${answer.JobID} is back, and held: ${answer.Hold ?? ''}\n`)
  terminal.err(`Let retention have it again with: saltcod job release ${answer.JobID}\n`)
}
