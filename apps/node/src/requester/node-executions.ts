import type { Execution, JobStore } from '@saltcod/store-core'
import { allItems } from './all-items.ts'

type Found = ReadonlyMap<string, readonly Execution[]>

/**
 * Reads what nodes have in progress. The store knows it of all nodes together, so one reading is for all that ask
 * before it begins: after a start of the requester its nodes come at once.
 */
export class NodeExecutions {
  readonly #store: Pick<JobStore, 'listExecutions'>
  #next: { readonly nodeIds: Set<string>; readonly found: Promise<Found> } | null = null
  #newest: Promise<unknown> = Promise.resolve()

  constructor(store: Pick<JobStore, 'listExecutions'>) {
    this.#store = store
  }

  /** Returns the executions on a node that have not ended, as of now or later. */
  async of(nodeId: string): Promise<readonly Execution[]> {
    const next = this.#next ?? this.#begin()
    next.nodeIds.add(nodeId)
    const found = await next.found
    return found.get(nodeId) ?? []
  }

  #begin(): { readonly nodeIds: Set<string>; readonly found: Promise<Found> } {
    const nodeIds = new Set<string>()
    const found = this.#newest.then(async () => {
      this.#next = null
      return await this.#read(nodeIds)
    })
    this.#next = { nodeIds, found }
    this.#newest = found.catch(() => undefined)
    return this.#next
  }

  async #read(nodeIds: ReadonlySet<string>): Promise<Found> {
    const [only] = nodeIds
    const query = nodeIds.size === 1 && only !== undefined ? { nodeId: only } : {}
    const found = new Map<string, Execution[]>()
    const all = allItems((cursor) =>
      this.#store.listExecutions({ ...query, inProgress: true, limit: 200, cursor }),
    )
    for await (const execution of all) {
      if (!nodeIds.has(execution.nodeId)) continue
      const there = found.get(execution.nodeId) ?? []
      there.push(execution)
      found.set(execution.nodeId, there)
    }
    return found
  }
}
