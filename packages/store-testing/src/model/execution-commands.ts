import { COMPUTE_STATES, END_REASONS, type ExecutionJob, type ExecutionStore } from '@saltcod/store-core'
import { foldAll } from '../store/fold-all.ts'
import type { Draw } from './command-seed.ts'
import type { ExecutionModel } from './execution-model.ts'
import { drawExpectation } from './expectation-draw.ts'

/** A store and its model. */
export interface ExecutionWorld {
  readonly store: ExecutionStore
  readonly model: ExecutionModel
}

/** A command on both sides; it is refused by both or by none. */
export interface ExecutionCommand {
  readonly name: string
  readonly onStore: () => Promise<unknown>
  readonly onModel: () => unknown
}

type Make = (world: ExecutionWorld, draw: Draw) => ExecutionCommand

const IDS = ['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'none'] as const
/** The jobs that executions belong to. */
export const JOB_IDS: readonly string[] = ['a', 'b', 'c']
/** The names of checkpoints. */
export const CHECKPOINTS: readonly string[] = ['inbox', 'outbox']

const jobOf = (draw: Draw): ExecutionJob => ({
  id: draw.pick(JOB_IDS, 20),
  version: 1,
  namespace: draw.pick(['default', 'other'], 21),
  name: 'job',
  type: 'batch',
  priority: 0,
  spec: { n: draw.below(3, 22) },
})

const create: Make = ({ store, model }, draw) => {
  const request = {
    id: draw.pick(IDS.slice(0, 8), 0),
    job: jobOf(draw),
    requesterId: 'requester',
    ...(draw.once(2, 1) ? { state: 'BidAccepted' as const } : {}),
    ...(draw.once(3, 2) ? { rerunnable: true } : {}),
    ...(draw.once(3, 3) ? { partition: draw.below(3, 4) } : {}),
    ...(draw.once(3, 5) ? { deadlineAtMs: model.nowMs + draw.below(100, 6) } : {}),
  }
  return {
    name: `create ${JSON.stringify(request)}`,
    onStore: () => store.createExecution(request),
    onModel: () => model.create(request),
  }
}

const update: Make = ({ store, model }, draw) => {
  const executionId = draw.pick(IDS, 0)
  const requestId = draw.once(6, 1) ? draw.pick(['r1', 'r2', 'r3'], 2) : undefined
  const request = {
    executionId,
    ...drawExpectation(draw, model.executions.get(executionId), COMPUTE_STATES),
    ...(draw.once(4, 3) ? {} : { to: draw.pick(COMPUTE_STATES, 4) }),
    ...(draw.once(6, 12) ? { endReason: draw.pick(END_REASONS, 13) } : {}),
    ...(draw.once(3, 5) ? { message: 'why' } : {}),
    ...(draw.once(3, 6)
      ? { patch: { attempt: draw.below(4, 7), runOutput: draw.once(2, 8) ? null : 'out' } }
      : {}),
    ...(draw.once(8, 9)
      ? { patch: { deadlineAtMs: draw.once(2, 10) ? null : model.nowMs + draw.below(90, 11) } }
      : {}),
    ...(requestId === undefined ? {} : { requestId }),
  }
  return {
    name: `update ${JSON.stringify(request)}`,
    onStore: () => store.updateExecution(request),
    onModel: () => {
      if (requestId !== undefined && model.requests.has(requestId)) return model.requests.get(requestId)
      const result = model.update(request)
      if (requestId !== undefined) model.requests.set(requestId, result)
      return result
    },
  }
}

const acknowledge: Make = ({ store, model }, draw) => {
  const request = { executionId: draw.pick(IDS, 0), revision: draw.below(6, 1) }
  return {
    name: `acknowledge ${JSON.stringify(request)}`,
    onStore: () => store.acknowledgeExecution(request),
    onModel: () => {
      model.acknowledge(request.executionId, request.revision)
    },
  }
}

const remove: Make = ({ store, model }, draw) => {
  const executionId = draw.pick(IDS, 0)
  return {
    name: `delete ${executionId}`,
    onStore: () => store.deleteExecution({ executionId }),
    onModel: () => {
      model.delete(executionId)
    },
  }
}

const reclaim: Make = ({ store, model }) => ({
  name: 'reclaim',
  onStore: async () => {
    const finished: string[] = []
    for (let more = true; more; ) {
      const report = await store.reclaim()
      finished.push(...report.finished)
      more = report.more
    }
    return finished.sort()
  },
  onModel: () => model.reclaim(),
})

const addHistory: Make = ({ store, model }, draw) => {
  const executionId = draw.pick(IDS, 0)
  return {
    name: `addHistory ${executionId}`,
    onStore: async () => void (await store.addHistory({ executionId, event: { message: 'noted' } })),
    onModel: () => {
      model.addHistory(executionId, 'noted')
    },
  }
}

const setCheckpoint: Make = ({ store, model }, draw) => {
  const [name, value] = [draw.pick(CHECKPOINTS, 0), draw.below(1_000, 1)]
  return {
    name: `setCheckpoint ${name} ${value}`,
    onStore: () => store.setCheckpoint(name, value),
    onModel: () => {
      model.checkpoints.set(name, value)
    },
  }
}

/** Nobody may see any of it. */
const fold: Make = ({ store }, draw) => {
  const limit = 1 + draw.below(4, 0)
  return {
    name: `fold, ${limit} at a time`,
    onStore: async () => void (await foldAll(store, limit)),
    onModel: () => undefined,
  }
}

/** Every command, the frequent ones several times. */
export const EXECUTION_COMMANDS: readonly Make[] = [
  ...[create, create, create, create, update, update, update, update, update, update, update],
  ...[acknowledge, remove, remove, reclaim, addHistory, fold, fold, setCheckpoint],
]
