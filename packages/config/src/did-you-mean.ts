import { distance } from 'fastest-levenshtein'
import { type Complaint, oneLine, showGiven } from './problem.ts'

/**
 * Finds the known name that a mistyped one most likely meant, whatever its case, at most so many letters
 * away (two, or a third of its length, unless said otherwise). Returns `undefined` if none is near.
 */
export function nearestName(
  given: string,
  known: readonly string[],
  maxDistance: number = Math.min(given.length - 1, Math.max(2, Math.floor(given.length / 3))),
): string | undefined {
  const wanted = given.toLowerCase().slice(0, 100)
  let best: string | undefined
  let bestDistance = maxDistance + 1
  for (const name of known) {
    const apart = distance(wanted, name.toLowerCase())
    if (apart < bestDistance) {
      best = name
      bestDistance = apart
    }
  }
  return best
}

/** Complains about a name that is not known: names the near one if there is one, otherwise all that are. */
export function unknownName(given: string, known: readonly string[]): Complaint {
  const near = nearestName(given, known)
  return {
    problem: `${showGiven(given)} is not known here`,
    hint: near === undefined ? `known are ${known.join(', ')}` : `did you mean '${near}'?`,
  }
}

/**
 * Refuses options with a key that is none of theirs; the compiler refuses a table that leaves one out. Throws
 * `TypeError`.
 */
export function checkOptions<Options extends object>(
  where: string,
  options: Options,
  known: { readonly [Key in keyof Options]-?: true },
): void {
  const names = Object.keys(known)
  for (const key of Object.keys(options)) {
    if (names.includes(key)) continue
    const near = nearestName(key, names)
    const hint = near === undefined ? `known are ${names.join(', ')}` : `did you mean ${near}?`
    throw new TypeError(`${where}: unknown key ${oneLine(key).slice(0, 60)}; ${hint}`)
  }
}
