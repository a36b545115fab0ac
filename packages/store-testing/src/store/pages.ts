import type { Page, PageRequest } from '@saltcod/store-core'

/** Reads a listing to its end, in pages of a size, and returns all items. */
export async function readAll<T>(
  list: (request: PageRequest) => Promise<Page<T>>,
  request: PageRequest = {},
): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  for (;;) {
    const page: Page<T> = await list({ ...request, cursor })
    items.push(...page.items)
    if (page.next === null) return items
    cursor = page.next
  }
}

/** Returns the ids of records, for comparing lists in a way that can be read. */
export function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map(({ id }) => id)
}
