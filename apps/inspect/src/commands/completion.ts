import { Failure, type Terminal } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { EXIT } from '../exit-code.ts'

const SHELLS: readonly string[] = ['bash', 'zsh', 'fish']

interface Flag {
  readonly name: string
  /** The words that it takes; none where it takes others or nothing. */
  readonly choices: readonly string[]
}

interface Verb {
  readonly name: string
  readonly description: string
  readonly flags: readonly Flag[]
}

/** Prints a script that completes commands, options and the words that these take in a shell. */
export async function completion(terminal: Terminal, program: Command, shell: string): Promise<undefined> {
  if (!SHELLS.includes(shell)) {
    throw new Failure(EXIT.usage, `there are no completions for '${shell}'`, {
      hint: `there are for ${SHELLS.join(', ')}`,
    })
  }
  const verbs = program.commands.map((command) => ({
    name: command.name(),
    description: command.description().split('\n')[0] ?? '',
    flags: [
      ...command.options.map((option) => ({ name: option.long ?? '', choices: option.argChoices ?? [] })),
      { name: '--help', choices: [] },
    ].filter(({ name }) => name !== ''),
  }))
  terminal.out(shell === 'fish' ? fishScript(verbs) : bashScript(verbs, shell === 'zsh'))
  return undefined
}

function fishScript(verbs: readonly Verb[]): string {
  const lines = verbs.flatMap(({ name, description, flags }) => [
    `complete -c saltcod-inspect -n __fish_use_subcommand -a ${name} -d '${description.replaceAll("'", '')}'`,
    ...flags.map(({ name: flag, choices }) => {
      const words = choices.length === 0 ? '' : ` -x -a '${choices.join(' ')}'`
      return `complete -c saltcod-inspect -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}${words}`
    }),
  ])
  return `# In fish:  saltcod-inspect completion fish | source\n${lines.join('\n')}\n`
}

/** The script for bash; zsh runs it too. Words are separated by line ends, because names of files may have spaces. */
function bashScript(verbs: readonly Verb[], forZsh: boolean): string {
  const quoted = (words: readonly string[]): string => `$'${words.join('\\n')}'`
  const flags = verbs.map(
    ({ name, flags: own }) => `    ${name}) flags=${quoted(own.map((flag) => flag.name))} ;;`,
  )
  const choices = verbs.flatMap(({ name, flags: own }) =>
    own
      .filter((flag) => flag.choices.length > 0)
      .map((flag) => `    '${name} ${flag.name}') words=${quoted(flag.choices)}; files=0 ;;`),
  )
  const shell = forZsh ? 'zsh' : 'bash'
  const head = forZsh ? '#compdef saltcod-inspect\nautoload -U +X bashcompinit && bashcompinit\n' : ''
  return `${head}# In ${shell}:  source <(saltcod-inspect completion ${shell})
_saltcod_inspect() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}" flags="" words="" files=1
  case "\${COMP_WORDS[1]}" in
${flags.join('\n')}
  esac
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${choices.join('\n')}
  esac
  case "$word" in -*) words="$flags"; files=0 ;; esac
  [ "$COMP_CWORD" -gt 1 ] || words=${quoted(verbs.map(({ name }) => name))}
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ "$files" -eq 0 ] || COMPREPLY+=($(compgen -f -- "$word"))
}
complete -o filenames -F _saltcod_inspect saltcod-inspect
`
}
