import type { Command } from 'commander'
import type { InitOptions } from './commands/config.ts'
import { addRepositoryFlag, addSettingFlags, outputOption } from './options.ts'
import { LIST_FORMATS } from './output.ts'
import type { Terminal } from './terminal.ts'

/** Adds `config list|get|default|init`. */
export function addConfigCommands(program: Command, terminal: Terminal): void {
  const config = program
    .command('config')
    .description('Shows the configuration: flags, then environment, then config file, then defaults.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ saltcod config list\n  $ saltcod config get API.Port\n  $ saltcod config init\n',
    )
  const argv = (): readonly string[] =>
    (program as Command & { readonly rawArgs: readonly string[] }).rawArgs.slice(2)
  const list = config
    .command('list')
    .description('Lists every setting with its value and where the value came from.')
    .addOption(outputOption(LIST_FORMATS, 'table'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ saltcod config list\n  $ saltcod config list --repo /srv/node1 --output json\n',
    )
  addSettingFlags(list).action(async (options: { readonly output: string }) => {
    const { configList } = await import('./commands/config.ts')
    configList(terminal, argv(), options.output)
  })
  const get = config
    .command('get <key>')
    .description('Prints the value of one setting.')
    .addHelpText('after', '\nExamples:\n  $ saltcod config get API.Port\n')
  addSettingFlags(get).action(async (key: string) => {
    const { configGet } = await import('./commands/config.ts')
    configGet(terminal, key, argv())
  })
  config
    .command('default')
    .description('Prints a config file with every default and what it means.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ saltcod config default\n\nTo write it where a node reads it: saltcod config init\n',
    )
    .action(async () => {
      const { configDefault } = await import('./commands/config.ts')
      configDefault(terminal)
    })
  const init = config
    .command('init')
    .description('Writes a config file with every default and what it means into the repository directory.')
    .option('--force', 'overwrite the one that is there')
    .addHelpText(
      'after',
      '\nExamples:\n  $ saltcod config init\n  $ saltcod config init --repo /srv/node1 --force\n',
    )
  addRepositoryFlag(init).action(async (options: InitOptions) => {
    const { configInit } = await import('./commands/config.ts')
    configInit(terminal, argv(), options)
  })
}
