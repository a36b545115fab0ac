/** A value that JSON can hold; what the store keeps for its users without reading it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Deeper values are not looked at. */
const MAX_DEPTH = 50

/**
 * Tells whether a value is what writing it as JSON and reading it back would give, to a depth of 50; false also stands
 * for not knowing. It copies nothing, and costs a small part of what reading it back costs.
 */
export function isPlainJson(value: unknown, depth: number = 0): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || depth === MAX_DEPTH) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Array.prototype) {
    const items = value as readonly unknown[]
    for (let i = 0; i < items.length; i += 1) if (!isPlainJson(items[i], depth + 1)) return false
    return true
  }
  if (prototype !== Object.prototype) return false
  const fields = value as Readonly<Record<string, unknown>>
  // A third of what a list of the names costs.
  for (const name in fields) if (!isPlainJson(fields[name], depth + 1)) return false
  return true
}

/** A flat map of short texts, such as labels or the details of an event. */
export type TextMap = Readonly<Record<string, string>>
