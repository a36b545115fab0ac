import type { Page, PageCursor, PageRequest } from '@saltcod/store-core'
import type { Terminal } from '../cli/terminal.ts'

/** How much of a listing is wanted. */
export interface Paging {
  /** `null` for everything. */
  readonly limit: number | null
  readonly cursor: string | undefined
}

const MAX_PAGE = 1_000

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
