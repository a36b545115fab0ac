import type { Json } from './mutated-job.ts'

const FREE = new Set(['env', 'meta', 'labels', 'params'])
const AMOUNTS = new Set(['cpu', 'memory', 'disk', 'gpu'])

/** Lists the places of what a job says and what is kept of it does not, which no warning names. */
export function silentlyOther(
  said: Json,
  kept: Json | undefined,
  warnings: string,
  path: readonly string[] = [],
): string[] {
  const key = path.at(-1) ?? ''
  if (said === null || said === '') return []
  if (typeof said === 'object') {
    const parts = Object.entries(said)
    const free = path.some((part) => FREE.has(part.toLowerCase()))
    return parts.flatMap(([name, inner]) => {
      const wanted = free ? name : name.toLowerCase()
      const found =
        typeof kept === 'object' && kept !== null
          ? Object.entries(kept).find(([other]) => (free ? other : other.toLowerCase()) === wanted)?.[1]
          : undefined
      if (found === undefined && warnings.toLowerCase().includes(name.toLowerCase()) && name !== '') return []
      return silentlyOther(inner, found, warnings, [...path, name])
    })
  }
  if (sameText(said, kept)) return []
  if (typeof said === 'string' && said.trim() === '') return []
  const amount = AMOUNTS.has(key.toLowerCase()) && String(said) === String(kept)
  // As many as there are nodes, whatever is said; more than one is refused.
  const everywhere = key.toLowerCase() === 'count' && path.length === 1 && kept === 0
  // What is there when nothing is said.
  const nothing = (said === 0 || said === false) && (kept === undefined || kept === '')
  return amount || everywhere || nothing
    ? []
    : [`${path.join('.')}: ${JSON.stringify(said)} is kept as ${JSON.stringify(kept)}`]
}

/** Texts are trimmed, and words are in lower case; nothing more happens to them. */
function sameText(said: Json, kept: Json | undefined): boolean {
  if (said === kept) return true
  if (typeof said !== 'string' || typeof kept !== 'string') return false
  return said.trim() === kept || said.toLowerCase().replaceAll(/\s/g, '') === kept.toLowerCase()
}
