import { addOutput, positiveNumber } from './options.ts'
import { addVerb, type CommandLine, settle } from './verb.ts'

/** Adds the commands that look after a store. */
export function addCareVerbs(line: CommandLine): void {
  const { terminal } = line
  addOutput(addVerb(line, 'check <store>', 'check every rule of the store; exit code 1 where one is broken'))
    .option('--max-findings <number>', 'stop listing after so many', positiveNumber, 1_000)
    .action(async (store, options) => {
      const { check } = await import('../commands/check.ts')
      await settle(line, check(terminal, store, options))
    })
}
