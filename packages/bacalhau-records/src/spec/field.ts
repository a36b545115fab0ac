import type { Json } from '@saltcod/store-core'
import { z } from 'zod'

// Clients written in Go send null for what is empty, so every field may be null.

/** A text; empty where it is absent. */
export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '')

/** A text without the spaces around it; empty where it is absent. */
export const trimmed = text.transform((value) => value.trim())

/** A whole number, which must be there. */
export const wholeNumber = z.int({
  error: ({ code }) => (code === 'invalid_type' ? 'must be a whole number' : undefined),
})

/** A whole number; 0 where it is absent. */
export const whole = wholeNumber.nullish().transform((value) => value ?? 0)

/** True or false; false where it is absent. */
export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false)

/** An amount with its unit, as a text or a number; empty where it is absent. */
export const quantity = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) =>
    String(value ?? '')
      .toLowerCase()
      .replaceAll(/\s/g, ''),
  )

// It came as JSON, so there is nothing to check; z.json() would make it anew and lose keys such as __proto__.
/** Anything that JSON can hold. */
export const json = z.unknown() as z.ZodType<Json>

/** One of a few words in any case, where an absent one means the first. */
export function wordOf<const Word extends string>(words: readonly [Word, ...Word[]]) {
  return z.preprocess((given) => {
    if (typeof given !== 'string') return given ?? words[0]
    const wanted = given.toLowerCase()
    return words.find((word) => word.toLowerCase() === wanted) ?? (given === '' ? words[0] : given)
  }, z.enum(words))
}

/**
 * An object with any keys; without any where it is absent. A `Map` in between, since z.record() leaves `__proto__` out
 * without a word.
 */
export function mapOf<Item extends z.ZodType>(item: Item) {
  return z
    .preprocess(entriesOf, z.map(z.string(), item).nullish())
    .transform((value): Record<string, z.output<Item>> => Object.fromEntries(value ?? []))
}

/** An object of texts. */
export const textMap = mapOf(z.string())

/** A list; without items where it is absent. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((value) => value ?? [])
}

/** An object with known keys; with all of them empty where it is absent. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  const whole = z.object(shape)
  return whole.nullish().transform((value) => value ?? whole.parse({}))
}

function entriesOf(value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? new Map(Object.entries(value)) : value
}
