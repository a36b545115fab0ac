import type { ComputeExecution, ExecutionStore, PageCursor } from '@saltcod/store-core'
import { breathing } from '../waiting/breath.ts'

const PAGE = 100

/** Yields every execution that has not ended; a damaged record is passed over, the store keeps note of it. */
export function inProgress(store: ExecutionStore): AsyncIterableIterator<ComputeExecution> {
  return breathing(readAll(store))
}

async function* readAll(store: ExecutionStore): AsyncGenerator<ComputeExecution> {
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
