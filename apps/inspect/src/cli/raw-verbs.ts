import { addOutput } from './options.ts'
import { addVerb, type CommandLine, settle } from './verb.ts'

/** Adds the commands that speak of the file and its tables. */
export function addRawVerbs(line: CommandLine): void {
  const { terminal } = line
  addOutput(
    addVerb(line, 'info <store>', 'what the store says of itself: node, schema, owner, sizes'),
  ).action(async (store, options) => {
    const { info } = await import('../commands/info.ts')
    await settle(line, info(terminal, store, options))
  })
}
