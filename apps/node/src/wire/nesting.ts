/** The deepest that a job may be nested; no real one comes near it. */
export const MAX_NESTING = 100

/**
 * Tells whether lists and objects lie within each other more than {@link MAX_NESTING} deep. It walks without calling
 * itself, so no depth is too much for it.
 */
export function isNestedTooDeep(value: unknown): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_NESTING) return true
    const next: unknown[] = []
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue
      for (const inner of Object.values(one))
        if (typeof inner === 'object' && inner !== null) next.push(inner)
    }
    level = next
  }
  return false
}
