import { tuple } from '../kv/tuple.ts'

/** The type code with which the number of an index begins. */
const [NUMBER_CODE] = tuple(1)
const NUMBERS = 256

/**
 * Counts the rows that each index should have and those that it has. No two records ask for the same row, so
 * where both numbers agree and every asked row was found, each row has its record.
 */
export class IndexTally {
  readonly #asked: number[] = new Array<number>(NUMBERS).fill(0)
  readonly #there: number[] = new Array<number>(NUMBERS).fill(0)

  /** Notes a row that a record asks for and that was found. */
  ask(key: Uint8Array): void {
    count(this.#asked, key)
  }

  /** Notes a row that is there. */
  see(key: Uint8Array): void {
    count(this.#there, key)
  }

  /** Tells whether every row of the index that a key belongs to has its record. */
  isComplete(key: Uint8Array): boolean {
    const number = numberOf(key)
    return number !== 0 && this.#asked[number] === this.#there[number]
  }
}

function count(counts: number[], key: Uint8Array): void {
  const number = numberOf(key)
  counts[number] = (counts[number] ?? 0) + 1
}

/** The number of the index; 0 for a key of none. */
function numberOf(key: Uint8Array): number {
  return key[0] === NUMBER_CODE ? (key[1] ?? 0) : 0
}
