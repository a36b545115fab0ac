import type { Page, PageCursor } from '@saltcod/store-core'

/** Reads a listing to its end, page after page. */
export async function* allItems<T>(
  readPage: (cursor: PageCursor | null) => Promise<Page<T>>,
): AsyncIterableIterator<T> {
  let cursor: PageCursor | null = null
  do {
    const page: Page<T> = await readPage(cursor)
    yield* page.items
    cursor = page.next
  } while (cursor !== null)
}

/** Reads a listing to its end into one list. */
export async function collectItems<T>(
  readPage: (cursor: PageCursor | null) => Promise<Page<T>>,
): Promise<T[]> {
  const items: T[] = []
  for await (const item of allItems(readPage)) items.push(item)
  return items
}
