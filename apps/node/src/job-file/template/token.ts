import { TemplateProblem } from './problem.ts'

/** A piece of what stands between {{ and }}. */
export interface Token {
  readonly kind: 'word' | 'field' | 'variable' | 'dot' | 'text' | 'number' | 'mark'
  /** Of a text what it says, of a field or variable its name with `.` or `$`, else as it is written. */
  readonly text: string
  readonly offset: number
  /** Whether a space stands before it. */
  readonly spaced: boolean
}

const NAME = '[\\p{L}_][\\p{L}\\p{Nd}_]*'
const PIECES: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /\s+/uy],
  [
    'number',
    /[-+]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)(?![\p{L}_])/uy,
  ],
  ['field', new RegExp(`\\.${NAME}`, 'uy')],
  ['variable', new RegExp(`\\$(?:${NAME})?`, 'uy')],
  ['dot', /\./uy],
  ['text', /`[^`]*`|"(?:[^"\\\n]|\\.)*"/uy],
  ['word', new RegExp(NAME, 'uy')],
  ['mark', /:=|[=|(),]/uy],
]
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}

/** Cuts what begins at `start`, behind {{, into pieces; `end` is where }} (or -}} with its space) begins. */
export function tokensOf(
  source: string,
  start: number,
): { readonly tokens: readonly Token[]; readonly end: number } {
  const tokens: Token[] = []
  let at = start
  let spaced = true
  while (at < source.length) {
    if (source.startsWith('}}', at) || (spaced && source.startsWith('-}}', at))) return { tokens, end: at }
    const piece = pieceAt(source, at)
    if (piece === undefined) {
      // Most often the }} of an earlier line is missing.
      throw source.slice(start, at).includes('\n') ? unclosed(start) : strangePiece(source, at)
    }
    const { kind, text } = piece
    if (kind !== 'space') {
      tokens.push({ kind, text: kind === 'text' ? unquoted(text, at) : text, offset: at, spaced })
    }
    spaced = kind === 'space'
    at += text.length
  }
  throw unclosed(start)
}

function unclosed(start: number): TemplateProblem {
  return new TemplateProblem(
    start,
    '{{ has no }} behind it',
    'close it; a {{ that is meant as a text is written {{"{{"}}',
  )
}

function pieceAt(
  source: string,
  at: number,
): { readonly kind: Token['kind'] | 'space'; readonly text: string } | undefined {
  for (const [kind, pattern] of PIECES) {
    pattern.lastIndex = at
    const text = pattern.exec(source)?.[0]
    if (text !== undefined) return { kind, text }
  }
  return undefined
}

function strangePiece(source: string, at: number): TemplateProblem {
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0)
  if (character === '"' || character === '`')
    return new TemplateProblem(at, `a text that begins with ${character} is not closed`)
  if (character === "'")
    return new TemplateProblem(
      at,
      'single quotes are not taken in a template',
      'write a text in double quotes or backquotes',
    )
  return new TemplateProblem(
    at,
    `${character} is not taken in a template`,
    'a {{ that is meant as a text is written {{"{{"}}, or the file is given with --no-template',
  )
}

function unquoted(text: string, offset: number): string {
  const inner = text.slice(1, -1)
  if (text.startsWith('`')) return inner
  return inner.replaceAll(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gu,
    (all: string, ...parts: (string | undefined)[]) => {
      const [byte, short, long, octal, letter] = parts
      const code = Number.parseInt(byte ?? short ?? long ?? '', 16)
      const point = octal === undefined ? code : Number.parseInt(octal, 8)
      const known = letter === undefined ? undefined : ESCAPES[letter]
      if (known !== undefined) return known
      // A byte that is no character of its own would make a text that is none.
      if (
        letter !== undefined ||
        point > 0x10_ffff ||
        (short === undefined && long === undefined && point > 127)
      ) {
        throw new TemplateProblem(offset, `${all} is not known in a text`)
      }
      return String.fromCodePoint(point)
    },
  )
}
