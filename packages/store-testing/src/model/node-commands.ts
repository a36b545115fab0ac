import { NODE_MEMBERSHIPS } from '@saltcod/store-core'
import type { Draw } from './command-seed.ts'
import type { JobCommand, JobWorld } from './job-commands.ts'

type Make = (world: JobWorld, draw: Draw) => JobCommand

const IDS = ['n1', 'n2', 'n3', 'n-00000000-0000-4000-8000-000000000001'] as const

const record: Make = ({ store, model }, draw) => {
  const request = {
    id: draw.pick(IDS, 0),
    ...(draw.once(2, 1) ? { labels: { zone: draw.pick(['a', 'b'], 2) } } : {}),
    ...(draw.once(3, 3) ? { version: draw.pick(['1', '2'], 4) } : {}),
    ...(draw.once(2, 5) ? { membership: 'approved' as const } : {}),
  }
  return {
    name: `recordNode ${JSON.stringify(request)}`,
    onStore: () => store.recordNode(request),
    onModel: () => model.nodes.record(request),
  }
}

const see: Make = ({ store, model }, draw) => {
  const id = draw.pick(IDS, 0)
  const atMs = Math.max(0, model.nowMs - draw.below(50, 1))
  return {
    name: `seeNodes ${id} ${atMs}`,
    onStore: () => store.seeNodes({ seen: [{ id, atMs }] }),
    onModel: () => {
      model.nodes.see(id, atMs)
    },
  }
}

const change: Make = ({ store, model }, draw) => {
  const request = {
    nodeId: draw.pick(IDS, 0),
    ...(draw.once(2, 1) ? { membership: draw.pick(NODE_MEMBERSHIPS, 2) } : {}),
    ...(draw.once(2, 3) ? { scheduling: draw.pick(['on', 'drained'] as const, 4) } : {}),
    ...(draw.once(3, 5)
      ? { drainDeadlineAtMs: draw.once(3, 6) ? null : model.nowMs + draw.below(90, 7) }
      : {}),
    ...(draw.once(2, 8) ? { message: 'why' } : {}),
    ...(draw.once(3, 9) ? { labels: { zone: draw.once(2, 10) ? null : 'c' } } : {}),
    ...(draw.once(4, 11) ? { expectedRevision: 1 + draw.below(4, 12) } : {}),
  }
  return {
    name: `changeNode ${JSON.stringify(request)}`,
    onStore: () => store.changeNode(request),
    onModel: () => model.nodes.change(request),
  }
}

const remove: Make = ({ store, model }, draw) => {
  const nodeId = draw.pick(IDS, 0)
  const expectedRevision = draw.once(2, 1) ? 1 + draw.below(3, 2) : undefined
  return {
    name: `deleteNode ${nodeId} ${expectedRevision}`,
    onStore: () =>
      store.deleteNode({ nodeId, ...(expectedRevision === undefined ? {} : { expectedRevision }) }),
    onModel: () => {
      model.nodes.delete(nodeId, expectedRevision)
    },
  }
}

/** The commands about nodes, the frequent ones several times. */
export const NODE_COMMANDS: readonly Make[] = [record, record, see, change, change, change, remove]
