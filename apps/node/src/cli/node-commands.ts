import type { Command } from 'commander'
import { addNodeFlags, outputOption } from './options.ts'
import { LIST_FORMATS } from './output.ts'
import type { Terminal } from './terminal.ts'

/** Adds `node list|describe`. */
export function addNodeCommands(program: Command, terminal: Terminal): void {
  const node = program
    .command('node')
    .description('Looks at the nodes that run jobs.')
    .addHelpText('after', '\nExamples:\n  $ saltcod node list\n  $ saltcod node describe\n')
  const list = node
    .command('list')
    .description('Lists the nodes that run jobs, with what they have free.')
    .option('--wide', 'whole ids')
    .addOption(outputOption(LIST_FORMATS, 'table'))
    .addHelpText('after', '\nExamples:\n  $ saltcod node list\n  $ saltcod node list --output json\n')
  addNodeFlags(list).action(async (options) => {
    const { nodeList } = await import('./commands/node-list.ts')
    await nodeList(terminal, options)
  })
  const describe = node
    .command('describe [id]')
    .description(
      'Tells all about a node: what it runs, what it has, and how it keeps jobs apart. Without an id: the only one.',
    )
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ saltcod node describe\n  $ saltcod node describe n-1a2b3c4d --output yaml\n',
    )
  addNodeFlags(describe).action(async (id: string | undefined, options) => {
    const { nodeDescribe } = await import('./commands/node-describe.ts')
    await nodeDescribe(terminal, id, options)
  })
}
