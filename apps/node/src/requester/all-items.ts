import type { Page, PageCursor } from '@saltcod/store-core'
import { breathing } from '../waiting/breath.ts'

async function* everyItem<T>(
  readPage: (cursor: PageCursor | null) => Promise<Page<T>>,
  onDamaged: (records: number) => void,
): AsyncIterableIterator<T> {
  let cursor: PageCursor | null = null
  do {
    const page: Page<T> = await readPage(cursor)
    onDamaged(page.quarantined.length)
    yield* page.items
    cursor = page.next
  } while (cursor !== null)
}

/**
 * Reads a listing to its end, page after page, and keeps nobody else waiting for long; `onDamaged` gets how many
 * records of a page were passed over.
 */
export function allItems<T>(
  readPage: (cursor: PageCursor | null) => Promise<Page<T>>,
  onDamaged: (records: number) => void = () => undefined,
): AsyncIterableIterator<T> {
  return breathing(everyItem(readPage, onDamaged))
}

/** Reads a listing to its end into one list. */
export async function collectItems<T>(
  readPage: (cursor: PageCursor | null) => Promise<Page<T>>,
  onDamaged?: (records: number) => void,
): Promise<T[]> {
  const items: T[] = []
  for await (const item of allItems(readPage, onDamaged)) items.push(item)
  return items
}
