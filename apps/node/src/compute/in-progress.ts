import type { ComputeExecution, ExecutionStore, PageCursor } from '@saltcod/store-core'

const PAGE = 100

/** Yields every execution that has not ended; a damaged record is passed over, the store keeps note of it. */
export async function* inProgress(store: ExecutionStore): AsyncGenerator<ComputeExecution> {
  let cursor: PageCursor | null = null
  do {
    const page: Awaited<ReturnType<ExecutionStore['listExecutions']>> = await store.listExecutions({
      inProgress: true,
      limit: PAGE,
      cursor,
    })
    yield* page.items
    cursor = page.next
  } while (cursor !== null)
}
