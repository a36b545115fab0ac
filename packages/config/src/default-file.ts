import { stringify } from 'yaml'
import type { AnySetting } from './setting.ts'
import { SETTINGS } from './settings.ts'

const WIDTH = 100

/**
 * Writes a config file that has every setting with its default and what it means.
 * Settings without a default are there as comments. Reading the file gives the defaults.
 */
export function defaultConfigYaml(): string {
  const lines = [
    '# The configuration of a Saltcod node. Every value here is the default; keep the lines that you change.',
    '# Flags and environment variables win over this file.',
  ]
  let open: readonly string[] = []
  for (const setting of SETTINGS) {
    const names = setting.key.split('.')
    const sections = names.slice(0, -1)
    const shared = sections.findIndex((name, level) => open[level] !== name)
    const from = shared < 0 ? sections.length : shared
    if (sections.length === 0 || from === 0) lines.push('')
    for (let level = from; level < sections.length; level += 1) {
      lines.push(`${indent(level)}${sections[level]}:`)
    }
    open = sections
    lines.push(...settingLines(setting, names.at(-1) ?? '', sections.length))
  }
  return `${lines.join('\n')}\n`
}

function settingLines(setting: AnySetting, name: string, level: number): string[] {
  const given = [setting.flag, ...(setting.flagAliases ?? []), setting.environment].filter(
    (word) => word !== undefined,
  )
  const also = given.length === 0 ? '' : ` Also: ${given.join(', ')}.`
  const margin = indent(level)
  const comments = wrap(`${setting.description}${also}`, WIDTH - margin.length - 2).map(
    (line) => `${margin}# ${line}`,
  )
  if (setting.fallback === undefined) {
    return [...comments, `${margin}# ${name}: ${setting.fallbackNote ?? ''}`.trimEnd()]
  }
  const value = stringify(setting.fallback, { collectionStyle: 'flow', singleQuote: true }).trim()
  return [...comments, `${margin}${name}: ${value}`]
}

function indent(level: number): string {
  return '  '.repeat(level)
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
