import { stripVTControlCharacters } from 'node:util'

/** What a command said. */
export interface Told {
  readonly line: string
  /** `null` where it was ended. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** Ids and times, and what has another width or number by them. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\r|\s*(?:Processing|Communicating with the network)\s+[.🐟🐠🐡]+|[.\s]*[🐟🐠🐡]+[.\s]*/gu, '\n'],
  [/\S*bacalhau-(?=1\.\d+\.\d+)/g, ''],
  [new RegExp(`\\b([env])-${UUID}\\b`, 'g'), 'ID'],
  [new RegExp(`\\b(?:j-)?${UUID}\\b`, 'g'), 'ID'],
  [/\b[ejn]-[0-9a-f]{8}\b/g, 'ID'],
  [/\b[0-9a-f]{64}\b/g, 'HASH'],
  [/(?<=--next-token )[\w=-]+/g, 'TOKEN'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?[+-]\d\d:?\d\d|Z)?(?: UTC)?/g, 'TIME'],
  [/\b(?:[A-Z][a-z]{2} {1,2}\d{1,2} )?\d\d:\d\d:\d\d(?:\.\d+)?\b/g, 'TIME'],
  [/\b1[78]\d{17}\b/g, 'TIME'],
  [/\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:[mµn]?s|m|h)(?: ago)?(?=\s|$)/g, 'SPAN'],
  [/(?<=SeqNum\W+)\d+/g, 'NUMBER'],
  [/[─-]{4,}/g, '----'],
  // Maps of Go, in no order.
  [/(?<=Zero or more of: )\[.*\](?= \()/g, '[…]'],
]

/** What is drawn again and again while a command waits. */
const DRAWN =
  /^(?:SPAN|Connecting to network|Verifying job state|Stopping job|Creating job for submission|Job in progress)?$/

/**
 * Returns what a command said, line by line, without ids and times. JSON and YAML are lines of the same words, so that
 * what differs has one form.
 */
export function linesOf({ exitCode, stdout, stderr }: Told): readonly string[] {
  return [
    exitCode === null ? 'does not end' : `exit code ${exitCode}`,
    ...plain(stdout),
    ...plain(stderr).map((line) => `error output: ${line}`),
  ]
}

function plain(text: string): readonly string[] {
  const shown = CHANGING.reduce(
    (now, [pattern, word]) => now.replace(pattern, word),
    // How a command is used is told where it was used wrong.
    spread(stripVTControlCharacters(text).replace(/^Usage:$.*/ms, '')),
  )
  return shown
    .split('\n')
    .map((line) =>
      line
        .replaceAll('"', '')
        .replace(/,$/, '')
        .replace(/^\s*- /, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => !DRAWN.test(line))
    .filter((line) => !/^[\s{}[\],]*$/.test(line) && !/^\S+: [{[]$/.test(line) && !/^\w+:$/.test(line))
}

/** Has each value of JSON on a line of its own. */
function spread(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      try {
        return /^[{[]/.test(line) ? JSON.stringify(JSON.parse(line), null, 1) : line
      } catch {
        return line
      }
    })
    .join('\n')
}

/** Lists the lines of one that the other has not as often, in order. */
export function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const rest = new Map<string, number>()
  for (const line of others) rest.set(line, (rest.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const left = rest.get(line) ?? 0
    rest.set(line, left - 1)
    return left <= 0
  })
}
