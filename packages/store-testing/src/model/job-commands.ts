import {
  END_REASONS,
  type Evaluation,
  EXECUTION_STATES,
  JOB_STATES,
  JOB_TYPES,
  type JobStore,
  type LeaseToken,
  type Plan,
} from '@saltcod/store-core'
import { foldAll } from '../store/fold-all.ts'
import type { Draw } from './command-seed.ts'
import { drawExpectation } from './expectation-draw.ts'
import type { JobModel, NamedEvaluation, NamedExecution } from './job-model.ts'

/** What a command needs besides its numbers. */
export interface JobWorld {
  readonly store: JobStore
  readonly model: JobModel
  /** Every lease that was ever given, also those that are long lost. */
  readonly leases: LeaseToken[]
}

/** A command on both sides; it is refused by both or by none. */
export interface JobCommand {
  readonly name: string
  readonly onStore: () => Promise<unknown>
  readonly onModel: (fromStore: unknown) => unknown
}

type Make = (world: JobWorld, draw: Draw) => JobCommand

const JOB_IDS = ['j1', 'j2', 'j3', 'j4', 'j5', 'j6', 'j7', 'j8', 'nobody'] as const
const EXECUTION_IDS = ['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'e9', 'none'] as const
const EVALUATION_IDS = Array.from({ length: 14 }, (_, n) => `v${n}`)
const NODES = ['n1', 'n2'] as const
/** The names and namespaces that jobs have. */
export const NAMES: readonly string[] = ['a', 'b', 'c', 'd', 'e', 'f']
/** The namespaces that jobs have. */
export const NAMESPACES: readonly string[] = ['default', 'other']

const evaluation = (world: JobWorld, draw: Draw): NamedEvaluation => ({
  id: draw.pick(EVALUATION_IDS, 50),
  trigger: 'job-queue',
  ...(draw.once(2, 51) ? { priority: draw.below(4, 52) - 1 } : {}),
  ...(draw.once(2, 53)
    ? { dueAtMs: world.model.nowMs + draw.below(60, 54) - 20 }
    : draw.once(2, 56)
      ? { delayMs: draw.below(60, 57) }
      : {}),
  ...(draw.once(3, 55) ? { coalesce: true } : {}),
})

const submit: Make = ({ store, model }, draw) => {
  const world = { store, model, leases: [] }
  const request = {
    id: draw.pick(JOB_IDS.slice(0, 8), 0),
    namespace: draw.pick(NAMESPACES, 1),
    type: draw.pick(JOB_TYPES, 2),
    spec: { n: draw.below(3, 3) },
    evaluation: draw.once(3, 4) ? null : evaluation(world, draw),
    ...(draw.once(2, 5) ? { name: draw.pick(NAMES, 6) } : {}),
    ...(draw.once(2, 7) ? { priority: draw.below(3, 8) } : {}),
    ...(draw.once(3, 9) ? { submitKey: draw.pick(['k1', 'k2', 'k3'], 10) } : {}),
    ...(draw.once(3, 11) ? { labels: { color: draw.pick(['red', 'blue'], 12) } } : {}),
    ...(draw.once(3, 13) ? { deadlineAtMs: model.nowMs + draw.below(100, 14) } : {}),
  }
  return {
    name: `submit ${JSON.stringify(request)}`,
    onStore: () => store.submitJob(request),
    onModel: () => model.submit(request),
  }
}

const revise: Make = (world, draw) => {
  const { store, model } = world
  const jobId = draw.pick(JOB_IDS, 0)
  const request = {
    jobId,
    evaluation: draw.once(2, 1) ? null : evaluation(world, draw),
    ...drawExpectation(draw, model.state.jobs.get(jobId), JOB_STATES),
    ...(draw.once(2, 2) ? { spec: { n: draw.below(3, 3) } } : {}),
    ...(draw.once(3, 4) ? { labels: draw.once(2, 5) ? {} : { color: 'green' } } : {}),
    ...(draw.once(3, 6) ? { priority: draw.below(3, 7) } : {}),
    ...(draw.once(3, 8) ? { deadlineAtMs: draw.once(3, 10) ? null : model.nowMs + draw.below(100, 9) } : {}),
  }
  return {
    name: `revise ${JSON.stringify(request)}`,
    onStore: () => store.reviseJob(request),
    onModel: () => model.revise(request),
  }
}

const transition: Make = (world, draw) => {
  const { store, model } = world
  const jobId = draw.pick(JOB_IDS, 0)
  const requestId = draw.once(5, 1) ? draw.pick(['r1', 'r2', 'r3', 'r4'], 2) : undefined
  const request = {
    jobId,
    ...(draw.once(4, 10) ? {} : { to: draw.pick(JOB_STATES, 3) }),
    ...drawExpectation(draw, model.state.jobs.get(jobId), JOB_STATES),
    ...(draw.once(2, 4) ? { message: draw.pick(['why', 'because'], 5) } : {}),
    ...(draw.once(4, 6) ? { deadlineAtMs: draw.once(3, 7) ? null : model.nowMs + draw.below(100, 8) } : {}),
    ...(draw.once(4, 9) ? { evaluation: evaluation(world, draw) } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  }
  return {
    name: `transition ${JSON.stringify(request)}`,
    onStore: () => store.transitionJob(request),
    onModel: () => {
      const { requests } = model.state
      if (requestId !== undefined && requests.has(requestId)) return requests.get(requestId)
      const result = model.transition(request)
      if (requestId !== undefined) model.state.requests.set(requestId, result)
      return result
    },
  }
}

const hold: Make = ({ store, model }, draw) => {
  const request = { jobId: draw.pick(JOB_IDS, 0), reason: draw.once(3, 1) ? 'audit' : null }
  return {
    name: `hold ${JSON.stringify(request)}`,
    onStore: () => store.holdJob(request),
    onModel: () => model.hold(request.jobId, request.reason),
  }
}

const remove: Make = ({ store, model }, draw) => {
  const jobId = draw.pick(JOB_IDS, 0)
  return {
    name: `delete ${jobId}`,
    onStore: () => store.deleteJob({ jobId }),
    onModel: () => {
      model.delete(jobId)
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

const newExecution = (world: JobWorld, draw: Draw, salt: number): NamedExecution => ({
  id: draw.pick(EXECUTION_IDS.slice(0, 9), salt),
  jobId: draw.pick(JOB_IDS, salt + 1),
  nodeId: draw.pick(NODES, salt + 2),
  ...(draw.once(3, salt + 3) ? { state: draw.pick(['AskForBid', 'BidAccepted'] as const, salt + 4) } : {}),
  ...(draw.once(5, salt + 5) ? { jobVersion: 1 + draw.below(3, salt + 6) } : {}),
  ...(draw.once(4, salt + 7) ? { deadlineAtMs: world.model.nowMs + draw.below(100, salt + 8) } : {}),
})

const createExecution: Make = (world, draw) => {
  const request = newExecution(world, draw, 0)
  return {
    name: `createExecution ${JSON.stringify(request)}`,
    onStore: () => world.store.createExecution(request),
    onModel: () => world.model.createExecution(request),
  }
}

const executionChange = (world: JobWorld, draw: Draw, salt: number) => {
  const executionId = draw.pick(EXECUTION_IDS, salt)
  const { state } = world.model
  return {
    executionId,
    ...drawExpectation(draw, state.executions.get(executionId), EXECUTION_STATES),
    ...(draw.once(4, salt + 1) ? {} : { to: draw.pick(EXECUTION_STATES, salt + 2) }),
    ...(draw.once(6, salt + 6) ? { endReason: draw.pick(END_REASONS, salt + 7) } : {}),
    ...(draw.once(3, salt + 3) ? { message: 'm' } : {}),
    ...(draw.once(3, salt + 4)
      ? { patch: { desiredState: 'Stopped' as const, runOutput: draw.once(2, salt + 5) ? null : 7 } }
      : {}),
  }
}

const updateExecution: Make = (world, draw) => {
  const request = executionChange(world, draw, 0)
  return {
    name: `updateExecution ${JSON.stringify(request)}`,
    onStore: () => world.store.updateExecution(request),
    onModel: () => world.model.updateAlone(request),
  }
}

const record: Make = (world, draw) => {
  const report = {
    executionId: draw.pick(EXECUTION_IDS, 0),
    nodeId: draw.pick(NODES, 1),
    computeRevision: 1 + draw.below(6, 2),
    ...(draw.once(5, 3) ? {} : { to: draw.pick(EXECUTION_STATES, 4) }),
    ...(draw.once(6, 7) ? { endReason: draw.pick(END_REASONS, 8) } : {}),
    ...(draw.once(3, 5) ? { patch: { publishedResult: { at: 'x' } } } : {}),
    ...(draw.once(3, 6) ? { evaluation: evaluation(world, draw) } : {}),
    ...(draw.once(3, 9)
      ? { job: { to: draw.pick(JOB_STATES, 10), from: [draw.pick(JOB_STATES, 11), 'Pending' as const] } }
      : {}),
  }
  return {
    name: `record ${JSON.stringify(report)}`,
    onStore: () => world.store.recordExecution(report),
    onModel: () => world.model.record(report),
  }
}

const createEvaluation: Make = (world, draw) => {
  const request = { ...evaluation(world, draw), jobId: draw.pick(JOB_IDS, 0) }
  return {
    name: `createEvaluation ${JSON.stringify(request)}`,
    onStore: async () => (await world.store.createEvaluation(request)).id,
    onModel: () => world.model.evaluations.add(world.model.job(request.jobId), request),
  }
}

const claim: Make = ({ store, model, leases }, draw) => {
  const jobTypes = draw.once(4, 0) ? [draw.pick(JOB_TYPES, 1), draw.pick(JOB_TYPES, 2)] : undefined
  const leaseMs = 1 + draw.below(40, 3)
  const request = { holder: 'worker', leaseMs, ...(jobTypes === undefined ? {} : { jobTypes }) }
  return {
    name: `claim ${JSON.stringify(request)}`,
    onStore: async () => {
      const claimed = await store.claimEvaluation(request)
      if (claimed === null) return null
      leases.push(claimed.lease)
      return { lease: claimed.lease, evaluation: { ...claimed.evaluation, sequence: 0 } }
    },
    onModel: (fromStore) => {
      // The incarnation is the store's own; everything else must agree.
      const { lease } = (fromStore ?? { lease: { incarnation: '' } }) as { lease: LeaseToken }
      const claimed = model.evaluations.claim('worker', leaseMs, jobTypes, lease.incarnation)
      return claimed && { lease: claimed.lease, evaluation: { ...claimed.evaluation, sequence: 0 } }
    },
  }
}

const NO_LEASE: LeaseToken = { evaluationId: 'none', attempt: 1, expiresAtMs: 0, incarnation: '' }

const next: Make = ({ store, model }, draw) => {
  const query = draw.once(4, 0) ? { jobTypes: [draw.pick(JOB_TYPES, 1)], limit: 1 + draw.below(3, 2) } : {}
  const seen = (evaluations: readonly Evaluation[]) => evaluations.map((found) => ({ ...found, sequence: 0 }))
  return {
    name: `next ${JSON.stringify(query)}`,
    onStore: async () => seen(await store.nextEvaluations(query)),
    onModel: () => seen(model.evaluations.next(query.jobTypes, query.limit)),
  }
}

/** Mostly a lease, sometimes none. */
const someHold = (world: JobWorld, draw: Draw): Plan['lease'] =>
  draw.once(4, 72) ? { evaluationId: draw.pick(EVALUATION_IDS, 73), unclaimed: true } : someLease(world, draw)

/** Mostly the newest lease, sometimes an old one. */
const someLease = ({ leases }: JobWorld, draw: Draw): LeaseToken =>
  (draw.once(4, 70) ? leases[draw.below(Math.max(1, leases.length), 71)] : leases.at(-1)) ?? NO_LEASE

const extend: Make = (world, draw) => {
  const request = { lease: someLease(world, draw), leaseMs: 1 + draw.below(40, 0) }
  return {
    name: `extend ${JSON.stringify(request)}`,
    onStore: () => world.store.extendLease(request),
    onModel: () => world.model.evaluations.extend(request.lease, request.leaseMs),
  }
}

const complete: Make = (world, draw) => {
  const lease = someHold(world, draw)
  const status = draw.pick(['complete', 'canceled'] as const, 0)
  const comment = draw.once(2, 1) ? 'done' : undefined
  return {
    name: `complete ${JSON.stringify({ lease, status, comment })}`,
    onStore: () =>
      world.store.completeEvaluation({ lease, status, ...(comment === undefined ? {} : { comment }) }),
    onModel: () => {
      world.model.evaluations.complete(lease, status, comment)
    },
  }
}

const retry: Make = (world, draw) => {
  const request = {
    lease: someHold(world, draw),
    delayMs: draw.once(2, 0) ? 0 : draw.below(50, 1),
    maxAttempts: 1 + draw.below(4, 2),
    comment: 'again',
  }
  const { lease, delayMs, maxAttempts, comment } = request
  return {
    name: `retry ${JSON.stringify(request)}`,
    onStore: () => world.store.retryEvaluation(request),
    onModel: () => world.model.evaluations.retry(lease, delayMs, maxAttempts, comment),
  }
}

const applyPlan: Make = (world, draw) => {
  const { store, model } = world
  const lease = someHold(world, draw)
  const jobId = model.state.evaluations.get(lease.evaluationId)?.jobId ?? 'nobody'
  const ofJob = (request: NamedExecution): NamedExecution =>
    draw.once(8, 1) ? request : { ...request, jobId }
  const executions = Array.from({ length: draw.below(3, 2) }, (_, n) =>
    ofJob(newExecution(world, draw, 20 + 10 * n)),
  )
  const plan: Plan = {
    lease,
    ...(executions.length === 0 ? {} : { newExecutions: executions }),
    ...(draw.once(3, 3) ? { updates: [executionChange(world, draw, 10)] } : {}),
    ...(draw.once(3, 4) ? { job: { to: draw.pick(JOB_STATES, 5) } } : {}),
    ...(draw.once(2, 6) ? { followUps: [evaluation(world, draw)] } : {}),
    ...(draw.once(3, 7) ? { comment: 'planned' } : {}),
  }
  return {
    name: `applyPlan ${JSON.stringify(plan)}`,
    onStore: () => store.applyPlan(plan),
    onModel: () => model.applyPlan(plan),
  }
}

const trim: Make = ({ store, model }, draw) => {
  const olderThanMs = draw.below(200, 0)
  return {
    name: `trim ${olderThanMs}`,
    onStore: () => store.trimEvaluations({ olderThanMs }),
    onModel: () => model.evaluations.trim(olderThanMs),
  }
}

const addHistory: Make = ({ store, model }, draw) => {
  const jobId = draw.pick(JOB_IDS, 0)
  return {
    name: `addHistory ${jobId}`,
    onStore: async () => void (await store.addHistory({ jobId, event: { message: 'noted' } })),
    onModel: () => {
      model.addHistory(jobId, 'noted')
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
export const JOB_COMMANDS: readonly Make[] = [
  ...[submit, submit, submit, submit, revise, transition, transition, transition, transition, hold],
  ...[remove, remove, remove, reclaim, createExecution, createExecution, createExecution],
  ...[updateExecution, updateExecution, updateExecution, record, record],
  ...[createEvaluation, createEvaluation, createEvaluation],
  ...[claim, claim, claim, claim, next, next, extend, complete, complete, retry, retry],
  ...[applyPlan, applyPlan, applyPlan, trim, addHistory, fold, fold],
]
