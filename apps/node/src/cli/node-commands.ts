import {
  addCommand,
  DOCUMENT_FORMATS,
  labelsOption,
  type Terminal,
  wholeNumber,
  wordsOption,
} from '@saltcod/cli-kit'
import { type Command, Option } from 'commander'
import { addDocumentFlags, addForeignFlags, addListFlags, addNodeFlags } from './flags.ts'

const NODE_ORDERS = [
  'id',
  'type',
  'approval',
  'status',
  'available_cpu',
  'available_memory',
  'available_disk',
  'available_gpu',
]

/** What `node list --show` can be told. */
const COLUMN_GROUPS = ['labels', 'version', 'features', 'capacity']

/** Adds `node list|describe`. */
export function addNodeCommands(program: Command, terminal: Terminal): void {
  const node = addCommand(program, 'node', {
    description: 'Looks at the nodes that run jobs.',
    examples: ['saltcod node list', 'saltcod node describe'],
  })
  const list = addCommand(node, 'list', {
    description: 'Lists the nodes that run jobs, with what they have free.',
    examples: [
      'saltcod node list',
      "saltcod node list --labels 'zone in (a,b)' --filter-status connected --order-by available_cpu",
      'saltcod node list --output json',
    ],
  })
    .addOption(labelsOption('nodes'))
    .addOption(
      new Option('--filter-approval <state>', 'only nodes in this state').choices([
        'approved',
        'pending',
        'rejected',
      ]),
    )
    .addOption(
      new Option('--filter-status <state>', 'only nodes in this state').choices([
        'connected',
        'disconnected',
      ]),
    )
    .addOption(new Option('--order-by <field>', 'what they are ordered by').choices(NODE_ORDERS))
    .option('--order-reversed', 'the other way round')
    .option('--limit <number>', 'how many; 0: all', wholeNumber)
    .addOption(
      wordsOption('--show <groups>', 'other columns: some of these, with commas between', COLUMN_GROUPS),
    )
  addForeignFlags(addListFlags(list), {
    '--next-token <token>': 'all nodes are listed; --limit cuts the list',
  })
  addNodeFlags(list).action(async (options) => {
    const { nodeList } = await import('./commands/node-list.ts')
    await nodeList(terminal, options)
  })
  const describe = addCommand(node, 'describe [id]', {
    description:
      'Tells all about a node: what it runs, what it has, and how it keeps jobs apart. Without an id: the only one.',
    examples: ['saltcod node describe', 'saltcod node describe n-1a2b3c4d --output yaml'],
  })
  addNodeFlags(addDocumentFlags(describe, DOCUMENT_FORMATS)).action(
    async (id: string | undefined, options) => {
      const { nodeDescribe } = await import('./commands/node-describe.ts')
      await nodeDescribe(terminal, id, options)
    },
  )
}
