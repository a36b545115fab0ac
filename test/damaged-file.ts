import { readFileSync, writeFileSync } from 'node:fs'
import { randomBelow } from './random-numbers.ts'

/** The page size that LMDB gives to files on the machines that tests run on. */
const PAGE_BYTES = 4_096
/** Bytes of a meta page that mean something, from the beginning of the page. */
const META_BYTES = 168

/** One way to damage a file, at a place that the seed decides. */
export interface Damage {
  readonly what: string
  readonly apply: (bytes: Buffer, below: (end: number) => number) => Buffer
}

/** Flips one bit of a page that has been used. */
const FLIPPED_BIT: Damage = {
  what: 'a flipped bit',
  apply: (bytes, below) => flip(bytes, below(usedPages(bytes) * PAGE_BYTES), below(8)),
}

/** Flips bits of pages that have been used, all over the file. */
const FLIPPED_BITS: Damage = {
  what: '20 flipped bits',
  apply(bytes, below) {
    const used = usedPages(bytes)
    for (let flips = 0; flips < 20; flips += 1) flip(bytes, below(used * PAGE_BYTES), below(8))
    return bytes
  },
}

/** Flips one bit of what the meta pages say. */
const FLIPPED_META_BIT: Damage = {
  what: 'a flipped bit of a meta page',
  apply: (bytes, below) => flip(bytes, below(2) * PAGE_BYTES + below(META_BYTES), below(8)),
}

/** Writes zeros over one page behind the meta pages. */
const ZEROED_PAGE: Damage = {
  what: 'a zeroed page',
  apply(bytes, below) {
    const page = 2 + below(usedPages(bytes) - 2)
    return bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  },
}

/** Puts two pages behind the meta pages into each other's place. */
const SWAPPED_PAGES: Damage = {
  what: 'two swapped pages',
  apply(bytes, below) {
    const used = usedPages(bytes)
    const [one, gap] = [below(used - 2), 1 + below(used - 3)]
    const [first, second] = [one, (one + gap) % (used - 2)].map((page) => (2 + page) * PAGE_BYTES)
    if (first === undefined || second === undefined) throw new Error('there are no two pages')
    const kept = Buffer.from(bytes.subarray(first, first + PAGE_BYTES))
    bytes.copy(bytes, first, second, second + PAGE_BYTES)
    kept.copy(bytes, second)
    return bytes
  },
}

/** Cuts the file somewhere behind its meta pages. */
const CUT_TAIL: Damage = {
  what: 'a cut tail',
  apply: (bytes, below) => bytes.subarray(0, 2 * PAGE_BYTES + below((usedPages(bytes) - 2) * PAGE_BYTES)),
}

/** One damaged file: the seed decides where it is damaged. */
export interface DamageCase {
  readonly damage: Damage
  readonly seed: number
}

/** How many of each kind there are in a long test, and in a short one. */
const COUNTS: readonly (readonly [Damage, number, number])[] = [
  [FLIPPED_BIT, 350, 2],
  [FLIPPED_BITS, 150, 1],
  [ZEROED_PAGE, 125, 1],
  [SWAPPED_PAGES, 150, 1],
  [CUT_TAIL, 100, 1],
  [FLIPPED_META_BIT, 125, 1],
]

/** Returns damages of every kind, one kind after the other in turns: 1,000 for a long test. */
export function damageCases(seed: number, isLong: boolean): DamageCase[] {
  const damages = COUNTS.flatMap(([damage, long, short]) => {
    const count = isLong ? long : short
    return Array.from({ length: count }, (_, index) => ({ damage, place: (index + 0.5) / count }))
  })
  damages.sort((a, b) => a.place - b.place)
  return damages.map(({ damage }, number) => ({ damage, seed: seed + number }))
}

/** Writes a damaged copy of a store; the same seed gives the same damage. */
export function writeDamaged(source: string, target: string, damage: Damage, seed: number): void {
  writeFileSync(target, damage.apply(readFileSync(source), randomBelow(seed)), { mode: 0o600 })
}

function flip(bytes: Buffer, place: number, bit: number): Buffer {
  bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
  return bytes
}

function usedPages(bytes: Buffer): number {
  return 1 + Math.max(...[0, PAGE_BYTES].map((page) => Number(bytes.readBigUInt64LE(page + 144))))
}
