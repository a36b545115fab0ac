import { isStoreError, labelsMatch, NODE_MEMBERSHIPS } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { problemLine, readBySchema } from '../../spec/problem.ts'
import { ApiError } from '../../wire/api-error.ts'
import { certificatesToWire } from '../../wire/certificate-output.ts'
import { type NodeView, nodeToWire } from '../../wire/node-output.ts'
import type { RequesterContext } from '../context.ts'
import type { NodeDecision } from '../membership.ts'
import { reconsiderWork } from '../node-work.ts'
import type { ApiContext } from './api-context.ts'
import { checkId } from './api-context.ts'
import { Query } from './query.ts'

type Order = (a: NodeView, b: NodeView) => number

const ORDERS: ReadonlyMap<string, Order> = new Map<string, Order>([
  ['id', (a, b) => (a.record.id < b.record.id ? -1 : 1)],
  ['type', () => 0],
  [
    'approval',
    (a, b) => NODE_MEMBERSHIPS.indexOf(a.record.membership) - NODE_MEMBERSHIPS.indexOf(b.record.membership),
  ],
  ['status', (a, b) => Number(b.connected) - Number(a.connected)],
  ['available_cpu', (a, b) => b.load.available.cpu - a.load.available.cpu],
  ['available_memory', (a, b) => b.load.available.memoryBytes - a.load.available.memoryBytes],
  ['available_disk', (a, b) => b.load.available.diskBytes - a.load.available.diskBytes],
  ['available_gpu', (a, b) => b.load.available.gpu - a.load.available.gpu],
])

/** Adds the listing of compute nodes, and what an operator decides of them. */
export function addNodeRoutes(api: FastifyInstance, context: ApiContext): void {
  const { nodes, membership } = context.requester

  api.get('/api/v1/orchestrator/nodes', async (request) => {
    const query = new Query(request)
    const order = ORDERS.get(query.text('order_by') ?? 'id')
    if (order === undefined) {
      throw new ApiError('BadRequest', 'invalid order_by', {
        hint: `it is one of ${[...ORDERS.keys()].join(', ')}`,
      })
    }
    await membership.ready()
    const requirements = query.labels('labels')
    const status = query.text('filter-status')?.toLowerCase()
    const approval = query.text('filter-approval')?.toLowerCase()
    const matching = nodes
      .list()
      .filter((node) => labelsMatch(node.description.labels, requirements))
      .filter((node) => status === undefined || status === (node.connected ? 'connected' : 'disconnected'))
      .filter(({ record }) => approval === undefined || approval === record.membership)
      .toSorted(order)
    if (query.flag('reverse')) matching.reverse()
    const limit = query.whole('limit') ?? 0
    const chosen = limit === 0 ? matching : matching.slice(0, limit)
    return { NextToken: '', Nodes: chosen.map((node) => nodeToWire(node)) }
  })

  api.get<{ Params: { id: string } }>('/api/v1/orchestrator/nodes/:id', async (request) => {
    const node = await findNode(context, request.params.id)
    return {
      Node: nodeToWire(node),
      ...certificatesToWire(context.certificates(), context.requester.clock()),
    }
  })

  api.put<{ Params: { id: string } }>('/api/v1/orchestrator/nodes/:id', async (request) => {
    const { record } = await findNode(context, request.params.id)
    const read = readBySchema(actionBody, request.body ?? {})
    if (!('data' in read)) throw new ApiError('ValidationError', read.problems.map(problemLine).join('\n'))
    await carryOut(context.requester, record.id, read.data)
    return { Success: true, Error: '' }
  })
}

const text = z.string().max(1_000)
const TOLD = { Message: text.default(''), NodeID: z.string().optional() }

/** Clients send more about themselves in each body. */
const actionBody = z.discriminatedUnion(
  'Action',
  [
    z.object({ ...TOLD, Action: z.enum(['approve', 'reject', 'delete', 'resume']) }),
    z.object({
      ...TOLD,
      Action: z.literal('drain'),
      /** After so long what still runs is ended; absent for when it ends by itself. */
      TimeoutMs: z.number().int().nonnegative().max(31_536_000_000).optional(),
    }),
    z.object({ ...TOLD, Action: z.literal('label'), Labels: z.record(z.string(), text.nullable()) }),
  ],
  { error: 'unsupported action: it is one of approve, reject, delete, drain, resume, label' },
)

/**
 * Carries out what an operator decided of a node, and has the jobs looked at that lose by it; those that gain are once
 * the change of the node is noticed.
 */
async function carryOut(
  requester: RequesterContext,
  nodeId: string,
  action: z.infer<typeof actionBody>,
): Promise<void> {
  const { membership, clock } = requester
  const { Message: message } = action
  const decide = async (decision: NodeDecision): Promise<void> => {
    await membership.decide(nodeId, { message, ...decision }).catch((error: unknown) => {
      if (!isStoreError(error, 'STATE_CONFLICT')) throw error
      throw new ApiError('ConflictNodeState', error.message, { component: 'NodesManager' })
    })
  }
  switch (action.Action) {
    case 'approve':
      return await decide({ membership: 'approved' })
    case 'reject':
      await decide({ membership: 'rejected' })
      return await reconsiderWork(requester, { nodeId })
    case 'delete':
      await membership.delete(nodeId)
      return await reconsiderWork(requester, { nodeId })
    case 'drain': {
      const { TimeoutMs } = action
      const drainDeadlineAtMs = TimeoutMs === undefined ? null : clock() + TimeoutMs
      await decide({ scheduling: 'drained', drainDeadlineAtMs })
      return await reconsiderWork(requester, { nodeId })
    }
    case 'resume':
      return await decide({ scheduling: 'on' })
    case 'label':
      return await decide({ labels: action.Labels })
  }
}

/** Finds a node by its id or the beginning of it. Throws `NotFound`, `MultipleNodesFound`. */
async function findNode({ requester }: ApiContext, id: string): Promise<NodeView> {
  checkId('node', id)
  const { nodes, membership } = requester
  await membership.ready()
  const exact = nodes.get(id)
  const matching = exact === null ? nodes.list().filter(({ record }) => record.id.startsWith(id)) : [exact]
  const [node, another] = matching
  if (node === undefined) {
    throw new ApiError('NotFound', `node not found: ${id}`, {
      component: 'NodesManager',
      hint: 'list the nodes to see what is there',
    })
  }
  if (another !== undefined) {
    throw new ApiError('MultipleNodesFound', `multiple nodes found for id ${id}`, {
      hint: 'use the whole id',
    })
  }
  return node
}
