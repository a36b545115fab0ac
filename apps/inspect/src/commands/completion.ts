import type { Command } from 'commander'
import type { Terminal } from '../cli/terminal.ts'
import { EXIT } from '../exit-code.ts'
import { Failure } from '../failure.ts'

const SHELLS: readonly string[] = ['bash', 'zsh', 'fish']

/** Prints a script that completes commands and options in a shell. */
export async function completion(terminal: Terminal, program: Command, shell: string): Promise<undefined> {
  if (!SHELLS.includes(shell)) {
    throw new Failure(EXIT.usage, `there are no completions for '${shell}'`, {
      hint: `there are for ${SHELLS.join(', ')}`,
    })
  }
  const verbs = program.commands.map((command) => ({
    name: command.name(),
    description: command.description().split('\n')[0] ?? '',
    flags: [...command.options.map((option) => option.long ?? ''), '--help'].filter((flag) => flag !== ''),
  }))
  if (shell === 'fish') {
    const lines = verbs.flatMap(({ name, description, flags }) => [
      `complete -c saltcod-inspect -n __fish_use_subcommand -a ${name} -d '${description.replaceAll("'", '')}'`,
      ...flags.map(
        (flag) => `complete -c saltcod-inspect -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`,
      ),
    ])
    terminal.out(`# In fish:  saltcod-inspect completion fish | source\n${lines.join('\n')}\n`)
    return undefined
  }
  const cases = verbs.map(({ name, flags }) => `    ${name}) words="${flags.join(' ')}" ;;`).join('\n')
  const head =
    shell === 'zsh' ? '#compdef saltcod-inspect\nautoload -U +X bashcompinit && bashcompinit\n' : ''
  terminal.out(`${head}# In bash:  source <(saltcod-inspect completion bash)
_saltcod_inspect() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
  [ "$COMP_CWORD" -gt 1 ] || words="${verbs.map(({ name }) => name).join(' ')}"
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  case "$word" in -*) ;; *) COMPREPLY+=($(compgen -f -- "$word")) ;; esac
}
complete -o filenames -F _saltcod_inspect saltcod-inspect
`)
  return undefined
}
