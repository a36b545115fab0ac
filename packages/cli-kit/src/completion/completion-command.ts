import { Argument, type Command } from 'commander'
import { addCommand } from '../command/command.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { bashScript } from './bash-script.ts'
import { type CompletionOptions, offeredCommands } from './candidates.ts'
import { fishScript } from './fish-script.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** Adds `completion <shell>`, which prints a script that completes all that the help of a program shows. */
export function addCompletionCommand(
  program: Command,
  terminal: Terminal,
  { description, candidatesOf, inPlaceOfCommand }: CompletionOptions,
): void {
  const name = program.name()
  addCommand(program, 'completion', {
    description,
    notes: `In bash and zsh:  source <(${name} completion bash)\nIn fish:          ${name} completion fish | source`,
    examples: [`${name} completion bash`],
  })
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      const commands = offeredCommands(program, candidatesOf).map((command) =>
        command.path === '' && inPlaceOfCommand !== undefined
          ? { ...command, argument: inPlaceOfCommand }
          : command,
      )
      terminal.out(shell === 'fish' ? fishScript(name, commands) : bashScript(name, commands, shell))
    })
}
