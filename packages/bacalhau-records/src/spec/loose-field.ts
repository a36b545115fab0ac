import type { Json } from '@saltcod/store-core'

/** Returns a field of a JSON object by its name in any case; `undefined` where it is absent. */
export function looseField(value: Json, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const wanted = name.toLowerCase()
  const found = Object.entries(value).find(([key]) => key.toLowerCase() === wanted)
  return found?.[1]
}
