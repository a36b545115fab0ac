/** What was said where an object is meant; one without anything where it is none. */
export function objectOf(said: unknown): Readonly<Record<string, unknown>> {
  return typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {}
}

/** What was said where a text is meant; empty where it is none. */
export function textOf(said: unknown): string {
  return typeof said === 'string' ? said : ''
}

/** What was said where a list is meant; without anything where it is none. */
export function listOf(said: unknown): readonly unknown[] {
  return Array.isArray(said) ? said : []
}

/** Those of the values of an object that are texts, as labels are. */
export function textsOf(said: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(objectOf(said)).filter((one): one is [string, string] => typeof one[1] === 'string'),
  )
}
