import { runInNewContext } from 'node:vm'

/** Go's patterns take no longer than their texts are long; ours may take for ever. */
const LONGEST_MATCH_MS = 1000

/** Where the variables of a template come from. */
export interface VariableSource {
  /** As the option is given, each `name=value` or several with commas between. */
  readonly given: readonly string[]
  /** Which variables of the environment are taken, as a regular expression. */
  readonly envPattern: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Gathers the variables of a template; those that are given count before those of the environment. Throws an error
 * that {@link isPatternTimeout} knows where the pattern takes too long.
 */
export function templateVariables({ given, envPattern, env }: VariableSource): ReadonlyMap<string, string> {
  const pattern = envPattern === undefined || envPattern === '' ? undefined : readPattern(envPattern)
  const names = pattern === undefined ? [] : namesLike(pattern, Object.keys(env))
  const fromEnv = names.flatMap((name) => {
    const value = env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return new Map([...fromEnv, ...given.flatMap((text) => readPairs(text) ?? [])])
}

/** Tells whether {@link templateVariables} gave a pattern up. */
export function isPatternTimeout(error: unknown): boolean {
  // No `instanceof`: it is an error of the context in which the pattern ran.
  const isObject = typeof error === 'object' && error !== null
  return isObject && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

function namesLike(pattern: RegExp, names: readonly string[]): readonly string[] {
  const among = { names, pattern }
  const timeout = LONGEST_MATCH_MS
  return runInNewContext('names.filter((name) => pattern.test(name))', among, { timeout }) as string[]
}

/** Reads `name=value`, or several with commas between; `undefined` where it is neither. */
export function readPairs(text: string): readonly (readonly [string, string])[] | undefined {
  const single = text.split('=').length === 2
  const parts = single ? [text.replace(/^"+|"+$/g, '')] : commaSeparated(text)
  const pairs = parts?.map((part) => /^(?<name>[^=]+)=(?<value>.*)$/s.exec(part)?.groups)
  if (pairs === undefined || pairs.includes(undefined)) return undefined
  return pairs.map((groups) => [groups?.['name'] ?? '', groups?.['value'] ?? ''])
}

/** Reads the pattern of the names of variables of the environment. Throws a `SyntaxError` for what is none. */
export function readPattern(pattern: string): RegExp {
  // The flags that Go writes at the beginning of a pattern.
  const { flags = '', rest = pattern } = /^\(\?(?<flags>[ims]+)\)(?<rest>.*)$/s.exec(pattern)?.groups ?? {}
  return new RegExp(rest, [...new Set(`u${flags}`)].join(''))
}

/** Splits a line of CSV; `undefined` where its quotes make none. */
export function commaSeparated(line: string): readonly string[] | undefined {
  const parts: string[] = []
  let at = 0
  for (;;) {
    const match = /^(?:"(?<quoted>(?:[^"]|"")*)"|(?<plain>[^",]*))(?<comma>,|$)/.exec(line.slice(at))
    if (match === null) return undefined
    const { quoted, plain, comma } = match.groups ?? {}
    parts.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    at += match[0].length
    if (comma === '') return parts
  }
}
