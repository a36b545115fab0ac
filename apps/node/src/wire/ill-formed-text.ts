const HALF_PAIR = /\p{Surrogate}/u

/**
 * Finds the first text or key in a value that is no well-formed Unicode, and returns its path; `null` where there is
 * none. Such a text would be another one as soon as it is written as UTF-8. The value must not be nested too deep.
 */
export function illFormedText(value: unknown, path: string = ''): string | null {
  if (typeof value === 'string') return HALF_PAIR.test(value) ? path : null
  if (typeof value !== 'object' || value === null) return null
  const isList = Array.isArray(value)
  for (const [key, inner] of Object.entries(value)) {
    const here = isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
    const found = HALF_PAIR.test(key) ? here : illFormedText(inner, here)
    if (found !== null) return found
  }
  return null
}
