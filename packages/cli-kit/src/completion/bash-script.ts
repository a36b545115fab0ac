import type { Candidates, OfferedCommand, Question } from './candidates.ts'

/**
 * Writes the script that completes a program in bash; zsh runs it too. Words are separated by line ends, because
 * names of files may have spaces, and compared here: `compgen -W` would run what a word holds. No variable has a
 * name that zsh keeps for itself, such as `path`.
 */
export function bashScript(name: string, commands: readonly OfferedCommand[], shell: 'bash' | 'zsh'): string {
  const paths = commands.map(({ path, commands: inner, options, argument }) => {
    const words = [...inner.map((one) => one.name), ...(argument.words ?? [])]
    const flags = quoted(options.map((option) => option.name))
    return `      ${quoted([path])}) ${offer({ ...argument, words })} flags=${flags}; break ;;`
  })
  const values = commands.flatMap(({ path, options }) =>
    options.flatMap((option) =>
      option.value === undefined
        ? []
        : [`    ${quoted([`${path} ${option.name}`])}) ${offer(option.value)} ;;`],
    ),
  )
  const head = shell === 'zsh' ? `#compdef ${name}\nautoload -U +X bashcompinit && bashcompinit\n` : ''
  const completer = `_${name.replaceAll('-', '_')}`
  return `${head}# Completions of ${name}. In ${shell}:  source <(${name} completion ${shell})
${completer}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local at="" choices="" flags="" files=0 ask="" passed=() i line
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
${passOn(commands)}      -*) ;;
      *) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  while :; do
    case "$at" in
${paths.join('\n')}
    esac
    case "$at" in *" "*) at="\${at% *}" ;; *) at="" ;; esac
  done
  case "$at $before" in
${values.join('\n')}
    *) case "$word" in -*) choices="$flags" files=0 ask="" ;; esac ;;
  esac
  [ -z "$ask" ] || choices="$choices"$'\\n'"$(${name} "$ask" "\${passed[@]}" 2>/dev/null)"
  [ "$files" -eq 0 ] || choices="$choices"$'\\n'"$(compgen -f -- "$word")"
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in "") ;; "$word"*) COMPREPLY+=("$line") ;; esac
  done <<< "$choices"
}
complete -o filenames -F ${completer} ${name}
`
}

function offer({ words = [], files = false, ask }: Candidates): string {
  return `choices=${quoted(words)} files=${files ? 1 : 0} ask=${ask?.command ?? "''"};`
}

function passOn(commands: readonly OfferedCommand[]): string {
  const questions = commands.flatMap(({ argument, options }): Question[] =>
    [argument, ...options.map(({ value = {} }) => value)].flatMap(({ ask }) => ask ?? []),
  )
  const names = [...new Set(questions.flatMap((question) => question.passOn))]
  if (names.length === 0) return ''
  return `      ${names.join('|')}) passed+=("\${COMP_WORDS[i]}" "\${COMP_WORDS[i+1]}") ;;\n`
}

function quoted(words: readonly string[]): string {
  return `$'${words.map((word) => word.replaceAll(/[\\']/g, '\\$&')).join('\\n')}'`
}
