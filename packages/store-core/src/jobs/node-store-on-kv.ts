import type { ChangeNode, DeleteNode, JobNodes, NodeQuery, RecordNode, SeeNodes } from '../contract/nodes.ts'
import { DurableStoreOnKv } from '../durable/durable-store-on-kv.ts'
import type { KnownNode } from '../model/node.ts'
import type { Page } from '../model/page.ts'
import type { Mutation } from '../rows/mutation.ts'
import { changeNode, deleteNode, recordNode, seeNodes } from './change-node.ts'
import { findNode, getNode, nodeListing } from './node-queries.ts'
import { type LoadedNode, toNode } from './node-row.ts'

/** Nodes come and go in a full store too, or what fills it would never be done. */
const FREES = { frees: true } as const

/** The nodes of a job store on a key-value backend. */
export abstract class NodeStoreOnKv extends DurableStoreOnKv implements JobNodes {
  async recordNode(request: RecordNode): Promise<KnownNode> {
    return await this.#changedNode('recordNode', request, (mutation) => recordNode(mutation, request))
  }

  async seeNodes(request: SeeNodes): Promise<void> {
    await this.mutate('seeNodes', {}, (mutation) => seeNodes(mutation, request), FREES)
  }

  async changeNode(request: ChangeNode): Promise<KnownNode> {
    return await this.#changedNode('changeNode', request, (mutation) => changeNode(mutation, request))
  }

  async #changedNode(
    name: string,
    request: RecordNode | ChangeNode,
    body: (mutation: Mutation) => LoadedNode,
  ): Promise<KnownNode> {
    return await this.mutate(
      name,
      request,
      (mutation) => {
        const { id, row } = body(mutation)
        return toNode(id, row, mutation.aheadMs)
      },
      FREES,
    )
  }

  async deleteNode(request: DeleteNode): Promise<void> {
    await this.mutate('deleteNode', request, (mutation) => deleteNode(mutation, request), FREES)
  }

  async getNode(id: string): Promise<KnownNode | null> {
    return await this.read((snapshot) => getNode(snapshot, id, this.aheadMs(snapshot)))
  }

  async findNode(text: string): Promise<KnownNode> {
    return await this.read((snapshot) => findNode(snapshot, text, this.aheadMs(snapshot)))
  }

  async listNodes(query: NodeQuery = {}): Promise<Page<KnownNode>> {
    return await this.page((snapshot) => nodeListing(snapshot, query, this.aheadMs(snapshot)), query)
  }
}
