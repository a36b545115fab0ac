import type { Command } from 'commander'
import type { Terminal } from '../terminal.ts'

/** The shells that completions are written for. */
export const SHELLS: readonly string[] = ['bash', 'zsh', 'fish']

interface Entry {
  /** The words before, such as `job`; empty at the top. */
  readonly path: string
  readonly words: readonly string[]
}

/** Prints a script that completes commands and flags in a shell. */
export function completion(terminal: Terminal, program: Command, shell: string): void {
  const entries = entriesOf(program, [])
  if (shell === 'fish') terminal.out(fish(entries))
  else
    terminal.out(
      shell === 'zsh'
        ? `#compdef saltcod\nautoload -U +X bashcompinit && bashcompinit\n${bash(entries)}`
        : bash(entries),
    )
}

function entriesOf(command: Command, path: readonly string[]): Entry[] {
  const flags = command.options
    .filter((option) => !option.hidden)
    .map((option) => option.long ?? option.short ?? '')
  const commands = command.commands.map((inner) => inner.name())
  return [
    { path: path.join(' '), words: [...commands, ...flags, '--help'].filter((word) => word !== '') },
    ...command.commands.flatMap((inner) => entriesOf(inner, [...path, inner.name()])),
  ]
}

function bash(entries: readonly Entry[]): string {
  const cases = entries.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`).join('\n')
  return `# Completions of saltcod. In bash:  source <(saltcod completion bash)
_saltcod() {
  local path="" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  while :; do
    case "$path" in
${cases}
    esac
    [ -n "$words" ] || [ -z "$path" ] && break
    case "$path" in *" "*) path="\${path% *}" ;; *) path="" ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _saltcod saltcod
`
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, words }) => {
    const condition =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join('; and ')
    return words.map((word) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`
      return `complete -c saltcod -n '${condition}' ${what}`
    })
  })
  return `# Completions of saltcod. In fish:  saltcod completion fish | source\n${lines.join('\n')}\n`
}
