import { readFileSync } from 'node:fs'
import { Command } from 'commander'

/** Builds the command line of `saltcod-inspect`; the caller parses its arguments with it. */
export function createCli(): Command {
  const cli = new Command('saltcod-inspect')
    .description('Opens the store of a running Saltcod node, explains it and checks it.')
    .version(ownVersion())
    .showHelpAfterError('(see saltcod-inspect --help)')
  return cli.action(() => cli.help({ error: true }))
}

function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}
