import { kindOf, textOf, type Value } from './value.ts'

const VERB = /%(?<flags>[-+# 0]*)(?<width>\d{0,4})(?:\.(?<precision>\d{0,4}))?(?<verb>.)?/gsu
const WIDEST = 1000
/** More than any job file may hold. */
const LONGEST = 20 * 1024 * 1024

interface Verb {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
  readonly verb: string
}

/** What cannot be written by a format; told with its place by who knows that. */
export class FormatProblem extends Error {
  override readonly name: string = 'FormatProblem'
}

/**
 * Writes values by a format, as Go's `printf` does. Where Go would write a complaint into the text, such as
 * `%!d(string=x)`, a {@link FormatProblem} is thrown.
 */
export function formatted(format: string, values: readonly Value[]): string {
  let next = 0
  let characters = 0
  const text = format.replaceAll(VERB, (all: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>
    const { flags = '', width = '', precision, verb } = groups
    if (verb === '%') return '%'
    if (verb === undefined) throw new FormatProblem('a % at the end says nothing; write %% for %')
    const value = values[next]
    next += 1
    if (value === undefined) throw new FormatProblem(`${all} has no value`)
    if (Number(width) > WIDEST || Number(precision ?? 0) > WIDEST)
      throw new FormatProblem(`${all} is wider than ${WIDEST}`)
    const written = padded(value, {
      flags,
      width: Number(width),
      precision: precision === undefined ? undefined : Number(precision),
      verb,
    })
    characters += written.length
    if (characters > LONGEST) throw new FormatProblem('writes more than any job file may hold')
    return written
  })
  if (next < values.length)
    throw new FormatProblem(`${values.length - next} more values than verbs such as %s are given`)
  return text
}

function padded(value: Value, verb: Verb): string {
  const text = written(value, verb)
  const missing = verb.width - [...text].length
  if (missing <= 0) return text
  if (verb.flags.includes('-')) return text + ' '.repeat(missing)
  if (!verb.flags.includes('0') || typeof value === 'boolean') return ' '.repeat(missing) + text
  const sign = typeof value === 'string' ? '' : (/^[-+ ]/.exec(text)?.[0] ?? '')
  return `${sign}${'0'.repeat(missing)}${text.slice(sign.length)}`
}

function written(value: Value, verb: Verb): string {
  switch (verb.verb) {
    case 'v':
      if (verb.flags.includes('#')) break
      return typeof value === 'string' ? shortened(value, verb) : signed(textOf(value), value, verb)
    case 's':
      if (typeof value === 'string') return shortened(value, verb)
      break
    case 'q':
      if (typeof value === 'string') return JSON.stringify(shortened(value, verb))
      break
    case 't':
      if (typeof value === 'boolean') return String(value)
      break
    case 'd':
      if (typeof value === 'bigint') return digits(value.toString(), value, verb)
      break
    case 'x':
    case 'X':
      if (typeof value === 'string' && verb.flags === '')
        return cased(Buffer.from(value).toString('hex'), verb)
      if (typeof value === 'bigint') return cased(digits(value.toString(16), value, verb), verb)
      break
    case 'o':
    case 'b':
      if (typeof value === 'bigint') return digits(value.toString(verb.verb === 'o' ? 8 : 2), value, verb)
      break
    case 'f':
    case 'F':
      if (typeof value === 'number') return signed(fixed(value, verb.precision ?? 6), value, verb)
      break
    default:
      throw new FormatProblem(`%${verb.verb} is not taken; there are %s %v %q %d %x %o %b %t %f and %%`)
  }
  throw new FormatProblem(`%${verb.flags}${verb.verb} cannot write ${kindOf(value)}`)
}

function shortened(value: string, { precision }: Verb): string {
  return precision === undefined ? value : [...value].slice(0, precision).join('')
}

function cased(text: string, { verb }: Verb): string {
  return verb === 'X' ? text.toUpperCase() : text
}

function digits(text: string, value: bigint, verb: Verb): string {
  if (verb.flags.includes('#')) throw new FormatProblem(`%#${verb.verb} is not taken`)
  const [sign, plain] = text.startsWith('-') ? ['-', text.slice(1)] : ['', text]
  return signed(`${sign}${plain.padStart(verb.precision ?? 0, '0')}`, value, verb)
}

function signed(text: string, value: Value, { flags }: Verb): string {
  if (text.startsWith('-') || (typeof value !== 'bigint' && typeof value !== 'number')) return text
  if (flags.includes('+')) return `+${text}`
  return flags.includes(' ') ? ` ${text}` : text
}

/** JavaScript writes large numbers with an exponent, and no more than a hundred digits. */
function fixed(value: number, precision: number): string {
  if (precision > 100 || Math.abs(value) >= 1e21)
    throw new FormatProblem(`%.${precision}f has too many digits`)
  return value.toFixed(precision)
}
