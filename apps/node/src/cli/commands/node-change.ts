import { type Format, printWhole, type Terminal } from '@saltcod/cli-kit'
import type { NodeAction } from '../../client/api-client.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'

/** Options of the commands that change a node. */
export interface NodeChangeOptions extends NodeFlags {
  readonly message?: string
  readonly output: Format
}

/** Carries out what was decided of a node, and prints what came of it. */
export async function nodeChange(
  terminal: Terminal,
  id: string,
  action: NodeAction,
  { message, output, ...flags }: NodeChangeOptions,
): Promise<void> {
  const told = message === undefined ? action : { ...action, Message: message }
  const answer = await clientFor(terminal, flags).changeNode(id, told)
  if (output === 'table') terminal.out('Ok\n')
  else printWhole(terminal, output, answer)
}
