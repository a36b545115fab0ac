import { invalid, shorten } from '../arguments/limits.ts'
import type { LabelRequirement } from '../contract/jobs.ts'

const TOKEN = /\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/y
const MARK = /^[=!(),<>]/
const COMPARISONS = { '=': '=', '==': '=', '!=': '!=', '>': 'gt', '<': 'lt' } as const
const HINT =
  'write conditions with commas between them: key=value, key!=value, key in (a,b), key notin (a,b), key, !key, key>1, key<1; keys and values have no spaces and none of = ! < > ( ) ,'

/**
 * Reads a label selector in the grammar of Kubernetes, such as `env=prod,tier in (a,b),!old`: all its conditions
 * must hold, and an empty text has none. Throws `INVALID_ARGUMENT` that says what was found where.
 */
export function parseLabelSelector(selector: string): LabelRequirement[] {
  const tokens = new Tokens(selector)
  const requirements: LabelRequirement[] = []
  if (tokens.peek() === undefined) return requirements
  for (;;) {
    requirements.push(readRequirement(tokens))
    if (tokens.peek() === undefined) return requirements
    tokens.expect(',', "',' or the end")
  }
}

/** The marks and words of a selector, one after the other. */
class Tokens {
  readonly #selector: string
  readonly #all: readonly string[]
  #at = 0

  constructor(selector: string) {
    this.#selector = selector
    this.#all = Array.from(selector.trim().matchAll(new RegExp(TOKEN, 'g')), ([, token = '']) => token)
  }

  peek(): string | undefined {
    return this.#all[this.#at]
  }

  /** Takes the next one if it is this. */
  skip(token: string): boolean {
    const isThere = this.peek() === token
    if (isThere) this.#at += 1
    return isThere
  }

  expect(token: string, wanted: string): void {
    if (!this.skip(token)) throw this.#unexpected(wanted)
  }

  word(wanted: string): string {
    const token = this.peek()
    if (token === undefined || MARK.test(token)) throw this.#unexpected(wanted)
    this.#at += 1
    return token
  }

  /** Takes a word if there is one; a value may be empty. */
  value(): string {
    const token = this.peek()
    return token === undefined || MARK.test(token) ? '' : this.word('a value')
  }

  comparison(): LabelRequirement['operator'] | undefined {
    const token = this.peek() ?? ''
    if (!Object.hasOwn(COMPARISONS, token)) return undefined
    this.#at += 1
    return COMPARISONS[token as keyof typeof COMPARISONS]
  }

  #unexpected(wanted: string): Error {
    const before = this.#all.slice(Math.max(0, this.#at - 4), this.#at).join(' ')
    const where = before === '' ? 'at its beginning' : `after "${shorten(before)}"`
    const token = this.peek()
    const found = token === undefined ? 'it ends' : `it has "${shorten(token)}"`
    return invalid(
      `cannot read the label selector "${shorten(this.#selector)}": ${where} ${found}, and not ${wanted}`,
      HINT,
    )
  }
}

function readRequirement(tokens: Tokens): LabelRequirement {
  if (tokens.skip('!')) return { key: tokens.word('a key'), operator: '!exists', values: [] }
  const key = tokens.word("a key or '!'")
  const operator = tokens.comparison()
  if (operator !== undefined) return { key, operator, values: [comparedValue(tokens, operator)] }
  for (const set of ['in', 'notin'] as const) {
    if (tokens.skip(set)) return { key, operator: set, values: readSet(tokens) }
  }
  return { key, operator: 'exists', values: [] }
}

function comparedValue(tokens: Tokens, operator: LabelRequirement['operator']): string {
  const value = tokens.value()
  if ((operator === 'gt' || operator === 'lt') && !/^-?\d+$/.test(value)) {
    throw invalid(`a label is compared with a whole number, and "${shorten(value)}" is none`, HINT)
  }
  return value
}

function readSet(tokens: Tokens): string[] {
  tokens.expect('(', "'('")
  const values = [tokens.value()]
  while (tokens.skip(',')) values.push(tokens.value())
  tokens.expect(')', "',' or ')'")
  return values
}
