/** Which keys an object has: a nested object, a list of them, or anything (`null`) that is left as it is. */
export interface KeyShape {
  readonly [key: string]: KeyShape | readonly [KeyShape] | null
}

/**
 * Returns a copy of `value` with its keys spelled as in `shape`, whatever their case was. Keys that the shape does not know
 * are left out; where two spellings meet, the later one counts. What is not an object is returned as it is.
 */
export function spellKeys(value: unknown, shape: KeyShape): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const spelling = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]))
  const spelled: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    const name = spelling.get(key.toLowerCase())
    const innerShape = name === undefined ? undefined : shape[name]
    if (name === undefined || innerShape === undefined) continue
    if (innerShape === null) spelled[name] = inner
    else if (isListShape(innerShape)) spelled[name] = spellItems(inner, innerShape[0])
    else spelled[name] = spellKeys(inner, innerShape)
  }
  return spelled
}

function isListShape(shape: KeyShape | readonly [KeyShape]): shape is readonly [KeyShape] {
  return Array.isArray(shape)
}

function spellItems(value: unknown, shape: KeyShape): unknown {
  return Array.isArray(value) ? value.map((item) => spellKeys(item, shape)) : value
}
