import type { Candidates, OfferedCommand } from './candidates.ts'

/** Writes the script that completes a program in fish. */
export function fishScript(name: string, commands: readonly OfferedCommand[]): string {
  const lines = commands.flatMap(({ path, commands: inner, options, argument }) => {
    const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`)
    // What stands behind one of these commands is that one's matter.
    const others =
      inner.length === 0 ? [] : [`not __fish_seen_subcommand_from ${inner.map((one) => one.name).join(' ')}`]
    const condition = path === '' ? '__fish_use_subcommand' : [...seen, ...others].join('; and ')
    const noFiles = argument.files === true ? '' : '-f '
    const line = (what: string): string => `complete -c ${name} -n ${quoted(condition)} ${what}`
    const words = wordsOf(name, argument)
    return [
      ...inner.map((one) => line(`${noFiles}-a ${quoted(one.name)} -d ${quoted(one.description)}`)),
      ...(words === '' ? [] : [line(`${noFiles}-a ${quoted(words)}`)]),
      ...options.map((option) =>
        line(
          `-l ${option.name.replace(/^-+/, '')} -d ${quoted(option.description)}${optionValue(name, option.value)}`,
        ),
      ),
    ]
  })
  return `# Completions of ${name}. In fish:  ${name} completion fish | source\n${lines.join('\n')}\n`
}

function optionValue(name: string, value: Candidates | undefined): string {
  if (value === undefined) return ''
  const words = wordsOf(name, value)
  return `${value.files === true ? ' -r' : ' -x'}${words === '' ? '' : ` -a ${quoted(words)}`}`
}

function wordsOf(name: string, { words = [], ask }: Candidates): string {
  return [...words, ...(ask === undefined ? [] : [`(${name} ${ask.command} 2>/dev/null)`])].join(' ')
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`
}
