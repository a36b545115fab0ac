import { addCommand, DOCUMENT_FORMATS, durationMs, outputOption, type Terminal } from '@saltcod/cli-kit'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { ROLES } from '../access/role.ts'
import { addListFlags, addNodeFlags } from './flags.ts'

const NOTES = `
Roles: operator (everything), reader (whatever changes nothing), node (lets compute nodes join; each gets a credential of its own).
Only this prints the token, and once: the node keeps a hash. Keep it in a file that you alone may read, and name that with --token
(--join-token for a node), or in the variable SALTCOD_TOKEN or BACALHAU_API_KEY, or type it where a command asks; never in the arguments of a command.
While no node serves the repository, the commands work on its files; else they ask the node.
`

/** Ten years, which a node asks for too. */
const LONGEST_LIFE_MS = 315_360_000_000

function lifeMs(text: string): number {
  const ms = durationMs(text)
  if (ms > 0 && ms <= LONGEST_LIFE_MS) return ms
  throw new InvalidArgumentError('It must be longer than nothing, and ten years (3650d) at most.')
}

/** Adds `token create|list|revoke`. */
export function addTokenCommands(program: Command, terminal: Terminal): void {
  const token = addCommand(program, 'token', {
    description:
      'Makes the tokens that a node asks for where it is reached from other machines, and ends them.',
    examples: ['saltcod token create --role reader --note "the wall display"', 'saltcod token list'],
  })
  const create = addCommand(token, 'create', {
    description: 'Makes a token and prints it.',
    notes: NOTES,
    examples: [
      'saltcod token create --role operator --note laptop > laptop.token',
      'saltcod token create --role node --expires 1d > join.token',
    ],
  })
    .addOption(new Option('--role <role>', 'what its bearer may do').choices(ROLES).makeOptionMandatory())
    .option('--note <text>', 'who has it, for the listing', '')
    .option('--expires <duration>', 'when it ends by itself, such as 30d; without it, never', lifeMs)
    .addOption(outputOption(DOCUMENT_FORMATS))
  addNodeFlags(create).action(async (options) => {
    const { tokenCreate } = await import('./commands/token.ts')
    await tokenCreate(terminal, options)
  })
  const list = addCommand(token, 'list', {
    description: 'Lists the tokens that are taken, and those that ended within the last 30 days.',
    examples: ['saltcod token list', 'saltcod token list --output json'],
  })
  addNodeFlags(addListFlags(list)).action(async (options) => {
    const { tokenList } = await import('./commands/token.ts')
    await tokenList(terminal, options)
  })
  const revoke = addCommand(token, 'revoke <id>', {
    description:
      'Ends a token: nothing more is taken with it, and what is in progress for it is cut off. A node that has joined with it stays (see saltcod node delete).',
    examples: ['saltcod token revoke h4xk9m2p'],
  }).addOption(outputOption(DOCUMENT_FORMATS))
  addNodeFlags(revoke).action(async (id: string, options) => {
    const { tokenRevoke } = await import('./commands/token.ts')
    await tokenRevoke(terminal, id, options)
  })
}
