import { isShortText } from '../arguments/limits.ts'
import { nameOf } from '../kv/arguments.ts'

/** Tells whether a field may hold a value. */
export type FieldCheck = (value: unknown) => boolean

/**
 * What each field of a row may hold. A checksum only tells that a row is as somebody wrote it; one of another shape
 * would be met as an error of the program far from where it was read.
 */
export type RowShape<Row> = { readonly [Field in keyof Row]-?: FieldCheck }

type Fields = Readonly<Record<string, unknown>>
type Shaped = readonly (readonly [field: string, check: FieldCheck])[]

/** A text of any length. */
export function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** A text that stands in keys too, so that a longer one was never written. */
export function isKeyText(value: unknown): boolean {
  return typeof value === 'string' && isShortText(value)
}

/** A number. Whole ones and times are not told apart, for a duration that a caller gave may have a fraction. */
export function isNumber(value: unknown): boolean {
  return Number.isFinite(value)
}

/** A number that counts up from one, such as a version. */
export function isOrdinal(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0
}

/** True; a flag that is not set is absent. */
export function isSet(value: unknown): boolean {
  return value === true
}

/** Whatever JSON has words for. */
export function isJson(value: unknown): boolean {
  return value !== undefined
}

/** A flat map of texts that stand in keys too. */
export function isKeyTextMap(value: unknown): boolean {
  return isFields(value) && Object.entries(value).every(([name, text]) => isKeyText(name) && isKeyText(text))
}

/** A flat map of texts. */
export function isTextMap(value: unknown): boolean {
  return isFields(value) && Object.values(value).every(isText)
}

/** What another check takes, or null. */
export function orNull(check: FieldCheck): FieldCheck {
  return (value) => value === null || check(value)
}

/** What another check takes, or nothing at all. */
export function optional(check: FieldCheck): FieldCheck {
  return (value) => value === undefined || check(value)
}

/** A row inside a row. */
export function isRow<Row>(shape: RowShape<Row>): FieldCheck {
  const problemOf = checkOf(shape)
  return (value) => problemOf(value) === null
}

/** A list of so many parts, each with its own check; further ones are of a newer release. */
export function isTupleOf(...checks: readonly FieldCheck[]): FieldCheck {
  return (value) => Array.isArray(value) && checks.every((check, index) => check(value[index]))
}

/** A list of any length. */
export function isListOf(check: FieldCheck): FieldCheck {
  return (value) => Array.isArray(value) && value.every(check)
}

/** Returns what says what is wrong with a record; `null` for nothing. */
export function checkOf<Row>(shape: RowShape<Row> | FieldCheck): (record: unknown) => string | null {
  if (typeof shape === 'function') {
    return (record) => (shape(record) ? null : `is no row of this table, but ${nameOf(record)}`)
  }
  const fields = Object.entries<FieldCheck>(shape)
  const fits = fitOf(fields)
  return (record) => {
    if (!isFields(record)) return `is no row of this table, but ${nameOf(record)}`
    return fits(record) ? null : misshapen(fields, record)
  }
}

/**
 * All checks as one expression, which costs a small part of a loop over them: the engine knows where it finds each
 * field, and which check it calls. All names are from the code, none from data.
 */
function fitOf(fields: Shaped): (record: Fields) => boolean {
  const terms = fields.map(([field], at) => `check${at}(record[${JSON.stringify(field)}])`)
  const names = fields.map((_, at) => `check${at}`)
  try {
    const make = new Function(...names, `return (record) => ${terms.join(' && ')}`)
    return make(...fields.map(([, check]) => check)) as (record: Fields) => boolean
  } catch {
    // Under --disallow-code-generation-from-strings.
    return (record) => fields.every(([field, check]) => check(record[field]))
  }
}

function misshapen(fields: Shaped, record: Fields): string | null {
  const wrong = fields.find(([field, check]) => !check(record[field]))
  return wrong === undefined
    ? null
    : `is no row of this table: its ${wrong[0]} is ${nameOf(record[wrong[0]])}`
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
