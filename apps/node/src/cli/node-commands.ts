import {
  addCommand,
  DOCUMENT_FORMATS,
  durationMs,
  Failure,
  labelsOption,
  type Terminal,
  wholeNumber,
  wordsOption,
} from '@saltcod/cli-kit'
import { type Command, Option } from 'commander'
import { EXIT } from '../exit-code.ts'
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

/** Adds `node list|describe|approve|reject|delete|drain|resume|label`. */
export function addNodeCommands(program: Command, terminal: Terminal): void {
  const node = addCommand(program, 'node', {
    description: 'Looks at the nodes that run jobs, and decides which of them do.',
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
  addDecisions(node, terminal)
  addDrain(node, terminal)
  addLabel(node, terminal)
}

const DECISIONS = [
  {
    action: 'approve',
    description: 'Lets a node have work.',
    examples: [
      'saltcod node approve n-1a2b3c4d',
      'saltcod node approve n-1a2b3c4d --message "new in rack 7"',
    ],
  },
  {
    action: 'reject',
    description:
      'Gives a node no work any more. What it has is given up, and done elsewhere where it may be.',
    examples: ['saltcod node reject n-1a2b3c4d --message "not ours"'],
  },
  {
    action: 'delete',
    description:
      'Forgets a node that never comes back. What it has is given up, and done elsewhere where it may be; a node that lives comes again as a new one.',
    examples: ['saltcod node delete n-1a2b3c4d'],
  },
  {
    action: 'resume',
    description: 'Gives a drained node work again.',
    examples: ['saltcod node resume n-1a2b3c4d'],
  },
] as const

function addDecisions(node: Command, terminal: Terminal): void {
  for (const { action, description, examples } of DECISIONS) {
    const command = addCommand(node, `${action} <id>`, { description, examples: [...examples] })
    addChangeFlags(command).action(async (id: string, options) => {
      const { nodeChange } = await import('./commands/node-change.ts')
      await nodeChange(terminal, id, { Action: action }, options)
    })
  }
}

function addDrain(node: Command, terminal: Terminal): void {
  const command = addCommand(node, 'drain <id>', {
    description:
      'Gives a node no more work: services move to other nodes at once, what has not begun does too, and what runs to its end may.',
    examples: [
      'saltcod node drain n-1a2b3c4d --message "new disk"',
      'saltcod node drain n-1a2b3c4d --timeout 1h',
    ],
  }).option(
    '--timeout <duration>',
    'end what still runs after so long, and do it elsewhere; without it, it takes as long as it takes',
    durationMs,
  )
  addChangeFlags(command).action(async (id: string, { timeout, ...options }) => {
    const { nodeChange } = await import('./commands/node-change.ts')
    await nodeChange(terminal, id, { Action: 'drain', TimeoutMs: timeout }, options)
  })
}

function addLabel(node: Command, terminal: Terminal): void {
  const command = addCommand(node, 'label <id> <labels...>', {
    description:
      'Gives a node labels (NAME=VALUE), which count more than its own, and takes given ones back (NAME-). Jobs ask for nodes by them.',
    examples: ['saltcod node label n-1a2b3c4d rack=7 disk=fast', 'saltcod node label n-1a2b3c4d disk-'],
  })
  addChangeFlags(command).action(async (id: string, labels: readonly string[], options) => {
    const { nodeChange } = await import('./commands/node-change.ts')
    await nodeChange(terminal, id, { Action: 'label', Labels: labelChanges(labels) }, options)
  })
}

/** Reads `NAME=VALUE` and `NAME-`. Throws a `Failure`. */
function labelChanges(words: readonly string[]): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      const isSelectable = !/[\s!<>(),]/.test(word) && word.indexOf('=', at + 1) === -1
      if (at > 0 && !isSelectable)
        throw new Failure(EXIT.usage, `${word} is a label that no selector could name`, {
          hint: 'leave blanks and each of = ! < > ( ) , out of its name and its value',
        })
      if (at > 0) return [word.slice(0, at), word.slice(at + 1)]
      if (at === -1 && word.length > 1 && word.endsWith('-')) return [word.slice(0, -1), null]
      throw new Failure(EXIT.usage, `${word} is no label`, {
        hint: 'write NAME=VALUE to give one, and NAME- to take one back',
      })
    }),
  )
}

function addChangeFlags(command: Command): Command {
  const told = command.option('-m, --message <text>', 'why, for whoever looks at the node')
  return addNodeFlags(addDocumentFlags(told, DOCUMENT_FORMATS))
}
