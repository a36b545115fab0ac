import { Failure, type Terminal } from '@saltcod/cli-kit'
import type { Page, PageCursor, PageRequest } from '@saltcod/store-core'
import { EXIT } from '../exit-code.ts'

/** How much of a listing is wanted. */
export interface Paging {
  /** `null` for everything. */
  readonly limit: number | null
  readonly cursor: string | undefined
}

const MAX_PAGE = 1_000

/** How a cursor begins that goes on in one of several stores: the id of that store, and the cursor in it. */
const STORE_CURSOR = /^store:([^:]*):(.*)$/

/** Pages through one store after the other, as if they were one. */
export class StorePages {
  /** The cursor behind the last item; `null` at the end of what was read so far. */
  more: PageCursor | null = null
  readonly #terminal: Terminal
  /** Stores before this one were read to their end. */
  #awaited: string | undefined
  #cursor: string | undefined
  #left: number | null

  constructor(terminal: Terminal, { limit, cursor }: Paging) {
    this.#terminal = terminal
    const match = STORE_CURSOR.exec(cursor ?? '')
    this.#awaited = match?.[1]
    this.#cursor = match === null ? cursor : match[2] || undefined
    this.#left = limit
  }

  /**
   * Reads what is wanted of the next store. Of one alone, the cursor is the store's own. Returns how many records were
   * met; `null` where that was not all.
   */
  async read<T>(
    storeId: string,
    isAlone: boolean,
    read: (request: PageRequest) => Promise<Page<T>>,
    visit: (item: T) => void,
  ): Promise<number | null> {
    if (this.more !== null || (this.#awaited !== undefined && this.#awaited !== storeId)) return null
    this.#awaited = undefined
    if (this.#left === 0) {
      this.more = `store:${storeId}:`
      return null
    }
    let count = 0
    const paging = { limit: this.#left, cursor: this.#cursor }
    let damaged = 0
    const counting = async (request: PageRequest): Promise<Page<T>> => {
      const page = await read(request)
      damaged += page.quarantined.length
      return page
    }
    const cursor = await readPages(this.#terminal, paging, counting, (item) => {
      count += 1
      visit(item)
    })
    const whole = cursor === null && this.#cursor === undefined
    this.#cursor = undefined
    if (this.#left !== null) this.#left = Math.max(0, this.#left - count)
    if (cursor !== null) this.more = isAlone ? cursor : `store:${storeId}:${cursor}`
    return whole ? count + damaged : null
  }

  /** Says how to go on. Throws a `Failure` where the cursor was of none of the stores. */
  end(): void {
    if (this.#awaited !== undefined) {
      throw new Failure(EXIT.usage, 'the cursor is of none of these stores', {
        hint: 'use the one that an earlier listing with the same arguments printed',
      })
    }
    tellMore(this.#terminal, this.more)
  }
}

/**
 * Reads as many pages as are wanted, each in a read transaction of its own, so that a long listing does not
 * make the store grow. Returns the cursor behind the last item; `null` at the end.
 */
export async function readPages<T>(
  terminal: Terminal,
  { limit, cursor: start }: Paging,
  read: (request: PageRequest) => Promise<Page<T>>,
  visit: (item: T) => void,
): Promise<PageCursor | null> {
  let cursor: PageCursor | null = start ?? null
  let left = limit ?? Number.MAX_SAFE_INTEGER
  do {
    const page: Page<T> = await read({ limit: Math.min(left, MAX_PAGE), cursor })
    for (const item of page.items) visit(item)
    for (const id of page.quarantined) terminal.err(`Warning: the record of ${id} is damaged and left out\n`)
    left -= page.items.length
    cursor = page.next
  } while (cursor !== null && left > 0)
  return cursor
}

/** Says how to go on where a listing has more. */
export function tellMore(terminal: Terminal, cursor: PageCursor | null): void {
  if (cursor !== null) terminal.err(`more: --cursor ${cursor}\n`)
}
