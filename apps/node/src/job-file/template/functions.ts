import { FormatProblem, formatted } from './printf.ts'
import { isTrue, kindOf, textOf, type Value } from './value.ts'

/** A function of Go templates; it throws a {@link FormatProblem} for arguments that it does not take. */
type TemplateFunction = (args: readonly Value[]) => Value

type Comparison = (a: Value, b: Value) => boolean

/** The functions that are taken, but for `and` and `or`, which do not look at all of their arguments. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['not', (args) => !isTrue(one(args))],
  ['len', (args) => lengthOf(one(args))],
  ['index', index],
  ['print', print],
  ['println', (args) => `${args.map(textOf).join(' ')}\n`],
  ['printf', printf],
  ['eq', equalToAny],
  ['ne', compared((a, b) => !same(a, b))],
  ['lt', compared((a, b) => order(a, b) < 0)],
  ['le', compared((a, b) => order(a, b) <= 0)],
  ['gt', compared((a, b) => order(a, b) > 0)],
  ['ge', compared((a, b) => order(a, b) >= 0)],
])

/** The names of all functions that are taken. */
export const FUNCTION_NAMES: readonly string[] = ['and', 'or', ...FUNCTIONS.keys()]

function one(args: readonly Value[]): Value {
  const [value] = args
  if (value === undefined || args.length > 1) throw new FormatProblem(`takes one value, not ${args.length}`)
  return value
}

function lengthOf(value: Value): bigint {
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value))
  if (typeof value === 'object') return BigInt(value.size)
  throw new FormatProblem(`cannot measure ${kindOf(value)}`)
}

/** A variable that is not given is empty here; that is what it is for. */
function index(args: readonly Value[]): Value {
  const [of, key] = args
  if (args.length !== 2 || of === undefined || key === undefined) {
    throw new FormatProblem('takes the dot and the name of a variable: index . "name"')
  }
  if (typeof of === 'object' && typeof key === 'string') return of.get(key) ?? ''
  if (typeof of === 'string' && typeof key === 'bigint') {
    const byte = key < 0n ? undefined : Buffer.from(of)[Number(key)]
    if (byte === undefined)
      throw new FormatProblem(`there is no ${key} in a text of ${Buffer.byteLength(of)} bytes`)
    return BigInt(byte)
  }
  throw new FormatProblem(`cannot look for ${kindOf(key)} in ${kindOf(of)}`)
}

/** As Go does it: a space only between two values of which none is a text. */
function print(args: readonly Value[]): string {
  return args.reduce<string>((before, value, position) => {
    const space = position > 0 && typeof args[position - 1] !== 'string' && typeof value !== 'string'
    return `${before}${space ? ' ' : ''}${textOf(value)}`
  }, '')
}

function printf([format, ...values]: readonly Value[]): string {
  if (typeof format !== 'string') throw new FormatProblem('takes a format first, such as "%s"')
  return formatted(format, values)
}

function equalToAny([first, ...others]: readonly Value[]): boolean {
  if (first === undefined || others.length === 0) throw new FormatProblem('takes at least two values')
  return others.some((other) => same(first, other))
}

function compared(holds: Comparison): TemplateFunction {
  return (args) => {
    const [a, b] = args
    if (a === undefined || b === undefined || args.length !== 2)
      throw new FormatProblem(`takes two values, not ${args.length}`)
    return holds(a, b)
  }
}

function same(a: Value, b: Value): boolean {
  mustBeAlike(a, b)
  return a === b
}

function order(a: Value, b: Value): number {
  mustBeAlike(a, b)
  if (typeof a === 'boolean') throw new FormatProblem('true and false have no order')
  // Go compares bytes; code points have the same order.
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : Number(a > b)
}

function mustBeAlike(a: Value, b: Value): void {
  if (typeof a !== typeof b || typeof a === 'object') {
    throw new FormatProblem(`cannot compare ${kindOf(a)} with ${kindOf(b)}`)
  }
}
