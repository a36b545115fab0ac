/** A value in a template, as Go has them: whole numbers are `bigint`, other ones `number`. */
export type Value = string | bigint | number | boolean | ReadonlyMap<string, string>

/** Go writes larger ones with an exponent. */
const MOST_PLAIN_EXPONENT = 6

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  bigint: 'a whole number',
  number: 'a number with a fraction',
  boolean: 'true or false',
}

/** Names the kind of a value. */
export function kindOf(value: Value): string {
  return KINDS[typeof value] ?? 'all variables'
}

/** Tells what counts as true: all but the empty text, 0, false, and no variables. */
export function isTrue(value: Value): boolean {
  return typeof value === 'object' ? value.size > 0 : Boolean(value)
}

/** Writes a value as `{{ }}` does. */
export function textOf(value: Value): string {
  if (typeof value === 'number') return floatText(value)
  if (typeof value !== 'object') return String(value)
  return `map[${[...value].map(([key, inner]) => `${key}:${inner}`).join(' ')}]`
}

function floatText(value: number): string {
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < MOST_PLAIN_EXPONENT) {
    // JavaScript writes small ones with an exponent sooner than Go does.
    return power < 0
      ? value.toFixed(Math.max(0, digits.replace(/\D/g, '').length - 1 - power))
      : String(value)
  }
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}
