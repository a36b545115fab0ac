import { readFileSync, writeFileSync } from 'node:fs'

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
export const FLIPPED_BIT: Damage = {
  what: 'a flipped bit',
  apply: (bytes, below) => flip(bytes, below(usedPages(bytes) * PAGE_BYTES), below(8)),
}

/** Flips one bit of what the meta pages say. */
export const FLIPPED_META_BIT: Damage = {
  what: 'a flipped bit of a meta page',
  apply: (bytes, below) => flip(bytes, below(2) * PAGE_BYTES + below(META_BYTES), below(8)),
}

/** Writes zeros over one page behind the meta pages. */
export const ZEROED_PAGE: Damage = {
  what: 'a zeroed page',
  apply(bytes, below) {
    const page = 2 + below(usedPages(bytes) - 2)
    return bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  },
}

/** Cuts the file somewhere behind its meta pages. */
export const CUT_TAIL: Damage = {
  what: 'a cut tail',
  apply: (bytes, below) => bytes.subarray(0, 2 * PAGE_BYTES + below((usedPages(bytes) - 2) * PAGE_BYTES)),
}

/** Writes a damaged copy of a store; the same seed gives the same damage. */
export function writeDamaged(source: string, target: string, damage: Damage, seed: number): void {
  let state = seed >>> 0
  // Numerical Recipes' linear congruential generator; its low bits are poor, so the high ones count.
  const below = (end: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * end)
  }
  for (let round = 0; round < 3; round += 1) below(1)
  writeFileSync(target, damage.apply(readFileSync(source), below), { mode: 0o600 })
}

function flip(bytes: Buffer, place: number, bit: number): Buffer {
  bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
  return bytes
}

function usedPages(bytes: Buffer): number {
  return 1 + Math.max(...[0, PAGE_BYTES].map((page) => Number(bytes.readBigUInt64LE(page + 144))))
}
