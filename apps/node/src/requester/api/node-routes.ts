import { labelsMatch } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import { ApiError } from '../../wire/api-error.ts'
import { type NodeView, nodeToWire } from '../../wire/node-output.ts'
import type { ApiContext } from './api-context.ts'
import { checkId } from './api-context.ts'
import { Query } from './query.ts'

type Order = (a: NodeView, b: NodeView) => number

const ORDERS: ReadonlyMap<string, Order> = new Map<string, Order>([
  ['id', (a, b) => (a.description.nodeId < b.description.nodeId ? -1 : 1)],
  ['type', () => 0],
  ['approval', () => 0],
  ['status', (a, b) => Number(b.connected) - Number(a.connected)],
  ['available_cpu', (a, b) => b.load.available.cpu - a.load.available.cpu],
  ['available_memory', (a, b) => b.load.available.memoryBytes - a.load.available.memoryBytes],
  ['available_disk', (a, b) => b.load.available.diskBytes - a.load.available.diskBytes],
  ['available_gpu', (a, b) => b.load.available.gpu - a.load.available.gpu],
])

/** Adds the listing of compute nodes. */
export function addNodeRoutes(api: FastifyInstance, context: ApiContext): void {
  const { nodes } = context.requester

  api.get('/api/v1/orchestrator/nodes', async (request) => {
    const query = new Query(request)
    const order = ORDERS.get(query.text('order_by') ?? 'id')
    if (order === undefined) {
      throw new ApiError('BadRequest', 'invalid order_by', {
        hint: `it is one of ${[...ORDERS.keys()].join(', ')}`,
      })
    }
    const requirements = query.labels('labels')
    const status = query.text('filter-status')?.toLowerCase()
    const approval = query.text('filter-approval')?.toLowerCase()
    const matching = nodes
      .list()
      .filter((node) => labelsMatch(node.description.labels, requirements))
      .filter((node) => status === undefined || status === (node.connected ? 'connected' : 'disconnected'))
      .filter(() => approval === undefined || approval === 'approved')
      .toSorted(order)
    if (query.flag('reverse')) matching.reverse()
    const limit = query.whole('limit') ?? 0
    const chosen = limit === 0 ? matching : matching.slice(0, limit)
    return { NextToken: '', Nodes: chosen.map((node) => nodeToWire(node, context.version)) }
  })

  api.get<{ Params: { id: string } }>('/api/v1/orchestrator/nodes/:id', async (request) => {
    const { id } = request.params
    checkId('node', id)
    const exact = nodes.get(id)
    const matching =
      exact === null ? nodes.list().filter((node) => node.description.nodeId.startsWith(id)) : [exact]
    const [node, another] = matching
    if (node === undefined)
      throw new ApiError('NotFound', `node not found: ${id}`, {
        component: 'NodeManager',
        hint: 'list the nodes to see what is there',
      })
    if (another !== undefined) {
      throw new ApiError('MultipleNodesFound', `multiple nodes found for id ${id}`, {
        hint: 'use the whole id',
      })
    }
    return { Node: nodeToWire(node, context.version) }
  })
}
