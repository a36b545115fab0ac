import type { MetaPage } from './meta-page.ts'

const WORD_BYTES = 8

const NEVER = 0
const LISTED = 1
const LISTED_TWICE = 2

/**
 * The list of free pages, as lmdb's own variant of LMDB writes it: a record for each transaction, of 64-bit words.
 * The first word counts those that follow. Of these a positive one is a page; a negative one says how many
 * pages there are from the page in the next word; zero is an empty place. What is in the list is overwritten by
 * the next commits, so a page that is listed and in use will be lost.
 */
export class FreeList {
  readonly #problems: string[] = []
  readonly #meta: MetaPage
  /** How often each page is listed. */
  readonly #listed: Uint8Array

  constructor(meta: MetaPage) {
    this.#meta = meta
    this.#listed = new Uint8Array(meta.lastPage + 1)
  }

  /** Takes a row of the list. A record that is put together in another way is passed over. */
  add(key: Buffer, value: Buffer): void {
    const { transaction: newest } = this.#meta
    if (key.length !== WORD_BYTES) {
      this.#problems.push(`the list of free pages has a key of ${key.length} bytes`)
      return
    }
    const record = key.readBigUInt64LE(0)
    const complain = (what: string): void =>
      void this.#problems.push(`free pages of transaction ${record}: ${what}`)
    if (record === 0n || record > newest) {
      complain(`the newest transaction is ${newest}`)
      return
    }
    const words = value.length / WORD_BYTES - 1
    if (!Number.isInteger(words) || words < 0) {
      complain(`the record has ${value.length} bytes`)
      return
    }
    const count = value.readBigInt64LE(0)
    if (count < 0n || count > BigInt(words)) {
      complain(`the record says that it has ${count} words, there is room for ${words}`)
      return
    }
    for (const [first, pages] of ranges(value, Number(count))) this.#list(first, pages, complain)
  }

  /** Compares the list with the pages that were reached, and returns everything that is wrong with it. */
  compare(seen: Uint8Array): string[] {
    const problems = [...this.#problems]
    const report = (what: string, wrong: (page: number) => boolean): void => {
      for (const [first, last] of stretches(this.#listed.length, wrong)) {
        problems.push(
          first === last ? `page ${first} ${what}` : `each of the pages ${first} to ${last} ${what}`,
        )
      }
    }
    report('is in use, and listed as free', (page) => seen[page] === 1 && this.#listed[page] !== NEVER)
    report('is listed as free twice', (page) => this.#listed[page] === LISTED_TWICE)
    return problems
  }

  /**
   * Returns what the list leaves out of the pages that nothing uses: LMDB leaves none out, so the list has lost them,
   * or the file has fewer pages than its meta page says. They are lost until the file is rewritten, and nothing else
   * is. `null` where each is listed. Only where all trees were walked is it known which pages nothing uses.
   */
  leftOut(seen: Uint8Array): string | null {
    const [first, ...more] = stretches(
      this.#listed.length,
      (page) => seen[page] === 0 && this.#listed[page] === NEVER,
    )
    if (first === undefined) return null
    const count = [first, ...more].reduce((sum, [from, to]) => sum + to - from + 1, 0)
    return count === 1
      ? `page ${first[0]} is neither in use nor listed as free`
      : `${count} pages are neither in use nor listed as free, the first is page ${first[0]}`
  }

  #list(first: number, pages: number, complain: (what: string) => void): void {
    const { lastPage } = this.#meta
    if (first < 2) complain(`page ${first} is a meta page`)
    else if (first + pages - 1 > lastPage) {
      const named = pages === 1 ? `page ${first} is` : `${pages} pages from ${first} are`
      complain(`${named} listed, the last page of the file is ${lastPage}`)
    } else {
      for (let page = first; page < first + pages; page += 1) {
        this.#listed[page] = this.#listed[page] === NEVER ? LISTED : LISTED_TWICE
      }
    }
  }
}

/** Reads the counted words as pairs of a first page and a number of pages, as far as they are understood. */
function ranges(value: Buffer, count: number): [number, number][] {
  const found: [number, number][] = []
  for (let word = 1; word <= count; word += 1) {
    const entry = value.readBigInt64LE(word * WORD_BYTES)
    if (entry === 0n) continue
    if (entry > 0n) {
      found.push([Number(entry), 1])
      continue
    }
    word += 1
    const first = word <= count ? value.readBigInt64LE(word * WORD_BYTES) : 0n
    if (first <= 0n) return found
    found.push([Number(first), Number(-entry)])
  }
  return found
}

/** The order of the records: their keys are numbers, of which the lowest byte comes first. */
export function byTransaction(a: Buffer, b: Buffer): number {
  if (a.length !== WORD_BYTES || b.length !== WORD_BYTES) return a.length - b.length
  return Number(a.readBigInt64LE(0) - b.readBigInt64LE(0))
}

/** Finds the stretches of pages for which something holds. */
function stretches(pages: number, holds: (page: number) => boolean): [number, number][] {
  const found: [number, number][] = []
  for (let page = 2; page < pages; page += 1) {
    if (!holds(page)) continue
    const last = found.at(-1)
    if (last !== undefined && last[1] === page - 1) last[1] = page
    else found.push([page, page])
  }
  return found
}
