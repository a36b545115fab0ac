import { addCommand, outputOption, type Terminal } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import type { ConfigListOptions, InitOptions } from './commands/config.ts'
import type { NodeFlags } from './configuration.ts'
import { addRepositoryFlag, addSettingFlags } from './flags.ts'

/** Adds `config list|get|default|init`. */
export function addConfigCommands(program: Command, terminal: Terminal): void {
  const config = addCommand(program, 'config', {
    description: 'Shows the configuration: flags, then environment, then config file, then defaults.',
    examples: ['saltcod config list', 'saltcod config get API.Port', 'saltcod config init'],
  })
  const list = addCommand(config, 'list', {
    description: 'Lists every setting with its value and where the value came from.',
    examples: ['saltcod config list', 'saltcod config list --repo /srv/node1 --output json'],
  }).addOption(outputOption())
  addSettingFlags(list).action(async (options: ConfigListOptions) => {
    const { configList } = await import('./commands/config.ts')
    configList(terminal, options)
  })
  const get = addCommand(config, 'get <key>', {
    description: 'Prints the value of one setting.',
    examples: ['saltcod config get API.Port'],
  })
  addSettingFlags(get).action(async (key: string, options: NodeFlags) => {
    const { configGet } = await import('./commands/config.ts')
    configGet(terminal, key, options)
  })
  addCommand(config, 'default', {
    description: 'Prints a config file with every default and what it means.',
    notes: 'To write it where a node reads it: saltcod config init',
    examples: ['saltcod config default'],
  }).action(async () => {
    const { configDefault } = await import('./commands/config.ts')
    configDefault(terminal)
  })
  const init = addCommand(config, 'init', {
    description: 'Writes a config file with every default and what it means into the repository directory.',
    examples: ['saltcod config init', 'saltcod config init --repo /srv/node1 --force'],
  }).option('--force', 'overwrite the one that is there')
  addRepositoryFlag(init).action(async (options: InitOptions) => {
    const { configInit } = await import('./commands/config.ts')
    configInit(terminal, options)
  })
}
