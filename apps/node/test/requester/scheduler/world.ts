import assert from 'node:assert/strict'
import { isLongRunning, type JobSpec, jobSchema, specOf } from '@saltcod/bacalhau-records'
import type {
  EndReason,
  Execution,
  ExecutionState,
  Job,
  JobState,
  JobType,
  NewEvaluation,
} from '@saltcod/store-core'
import { checkTransition, EXECUTION_MACHINE, JOB_MACHINE } from '@saltcod/store-core'
import type { NodeDescription, NodeLoad } from '../../../src/link/link.ts'
import { uncoveredFollowUps } from '../../../src/requester/scheduler/follow-ups.ts'
import { schedule } from '../../../src/requester/scheduler/schedule.ts'
import type {
  Decision,
  DrainedNode,
  RetryRules,
  SchedulableNode,
  SchedulingView,
} from '../../../src/requester/scheduler/view.ts'
import { DEFAULT_RETRY_RULES, MAX_CHANGES } from '../../../src/requester/scheduler/view.ts'

export const START_MS = 1_700_000_000_000

const CAPACITY = { cpu: 8, memoryBytes: 1e10, diskBytes: 1e11, gpu: 0 }
/** Of tests that are not about room. */
const PLENTY = { cpu: 1e4, memoryBytes: 1e14, diskBytes: 1e15, gpu: 0 }

/** A node with all that it says of itself. */
export type TestNode = SchedulableNode & { readonly load: NodeLoad }

export function makeSpec(engine = 'noop', queueTimeout = 0): JobSpec {
  const task = {
    Name: 'main',
    Engine: { Type: engine },
    Resources: { CPU: '500m', Memory: '512mb' },
    Timeouts: { QueueTimeout: queueTimeout },
  }
  return specOf(jobSchema.parse({ Tasks: [task] }))
}

export function makeJob(type: JobType, count: number, spec: JobSpec = makeSpec()): Job<JobSpec> {
  return {
    id: 'j-1',
    namespace: 'default',
    name: 'job',
    type,
    priority: 0,
    count,
    labels: {},
    spec,
    version: 1,
    revision: 1,
    state: 'Pending',
    stateMessage: '',
    stateSinceMs: START_MS,
    createdAtMs: START_MS,
    modifiedAtMs: START_MS,
    finishedAtMs: null,
    deadlineAtMs: null,
    submitKey: null,
    hold: null,
  }
}

export function makeNode(nodeId: string, labels: NodeDescription['labels'] = {}): TestNode {
  return {
    description: {
      nodeId,
      labels,
      engines: ['noop'],
      publishers: ['local'],
      inputSources: ['inline'],
      capacity: CAPACITY,
    },
    load: { available: CAPACITY, runningExecutions: 0, enqueuedExecutions: 0, heldBack: 0 },
    free: PLENTY,
    ahead: 0,
    closing: null,
    keptFor: null,
  }
}

/** Returns the only live execution of a world. */
export function only(world: World): Execution {
  const [execution, another] = world.live()
  assert.ok(
    execution !== undefined && another === undefined,
    `one live execution, not ${world.live().length}`,
  )
  return execution
}

/**
 * A requester's store and nodes in miniature: applies decisions by the real state machines and refuses what the store
 * would refuse.
 */
export class World {
  job: Job<JobSpec>
  nowMs = START_MS
  readonly executions = new Map<string, Execution>()
  readonly nodes = new Map<string, SchedulableNode>()
  readonly lost = new Set<string>()
  readonly awaited = new Set<string>()
  readonly drained = new Map<string, DrainedNode>()
  rules: RetryRules = DEFAULT_RETRY_RULES
  pending: NewEvaluation[] = [{ trigger: 'job-register' }]
  decisions = 0
  /** What decides. */
  scheduleBy: (view: SchedulingView) => Decision = schedule
  /** What becomes of a message before it is written down; it is for people alone. */
  reword: (message: string) => string = (message) => message

  constructor(job: Job<JobSpec>, nodeIds: readonly string[]) {
    this.job = job
    for (const id of nodeIds) this.nodes.set(id, makeNode(id))
  }

  /** Makes and applies one decision. */
  decide(trigger: NewEvaluation['trigger']): Decision {
    const decision = this.scheduleBy({
      job: this.job,
      executions: [...this.executions.values()],
      nodes: [...this.nodes.values()],
      drainedNodes: this.drained,
      awaitedNodes: this.awaited,
      lostNodes: new Map([...this.lost].map((id) => [id, `node ${id} has not been heard of for too long`])),
      trigger,
      remembersWaiting: false,
      nowMs: this.nowMs,
      rules: this.rules,
      newExecutionId: () => `${this.job.id}/e-${this.executions.size + ++this.#made}`,
    })
    this.decisions++
    this.#apply(decision)
    return decision
  }

  /** Works on everything that is due, and lets the clock go to what is due next within `untilMs`. */
  settle(untilMs: number = this.nowMs): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      const [next] = this.pending.toSorted((a, b) => (a.dueAtMs ?? 0) - (b.dueAtMs ?? 0))
      if (next === undefined || (next.dueAtMs ?? 0) > untilMs) return
      this.nowMs = Math.max(this.nowMs, next.dueAtMs ?? 0)
      this.pending.splice(this.pending.indexOf(next), 1)
      this.decide(next.trigger)
    }
    assert.fail('the scheduler does not come to rest')
  }

  /** A node reports an execution. */
  report(id: string, to: ExecutionState, stateMessage = '', endReason: EndReason | null = null): void {
    const execution = this.#get(id)
    if (
      EXECUTION_MACHINE.terminal.has(execution.state) ||
      !EXECUTION_MACHINE.edges[execution.state].includes(to)
    )
      return
    const ended = EXECUTION_MACHINE.terminal.has(to)
    const ran = ended && execution.state === 'Running'
    this.put({
      ...execution,
      state: to,
      stateMessage: this.reword(stateMessage),
      stateSinceMs: this.nowMs,
      runOutput: ran ? { ranMs: this.nowMs - execution.stateSinceMs } : execution.runOutput,
      endReason: ended && to !== 'Completed' ? endReason : null,
      desiredState: ended ? 'Stopped' : execution.desiredState,
      finishedAtMs: ended ? this.nowMs : null,
    })
    const begins = to === 'BidAccepted' || to === 'Running'
    if (begins && (this.job.state === 'Pending' || this.job.state === 'Queued')) this.#moveJob('Running', '')
    if (to === 'Running' && isLongRunning(this.job.type))
      this.pending.push({ trigger: 'exec-update', dueAtMs: this.nowMs + this.rules.restarts.minHealthyMs })
    if (ended || to === 'AskForBidAccepted')
      this.pending.push({ trigger: 'exec-update', dueAtMs: this.nowMs })
  }

  /** Tells whether there is such a node. */
  knows: (nodeId: string) => boolean = (nodeId) => this.nodes.has(nodeId)

  live(): Execution[] {
    return [...this.executions.values()].filter(
      (execution) => !EXECUTION_MACHINE.terminal.has(execution.state),
    )
  }

  #made = 0

  #apply(decision: Decision): void {
    const { newExecutions, updates, commands, job } = decision
    const due = this.pending.map((evaluation) => evaluation.dueAtMs ?? 0)
    const pendingDueMs = due.length === 0 ? null : Math.min(...due)
    const followUps = uncoveredFollowUps(decision.followUps, pendingDueMs, this.nowMs)
    assert.ok(newExecutions.length + updates.length <= MAX_CHANGES, 'a plan is bounded')
    assert.equal(new Set(updates.map((update) => update.executionId)).size, updates.length, 'one change each')
    assert.ok(followUps.length <= 1)
    const wasTerminal = JOB_MACHINE.terminal.has(this.job.state)
    if (wasTerminal) {
      assert.equal(newExecutions.length, 0, 'a job that has ended gets no executions')
      assert.equal(job, null, 'a job that has ended stays as it is')
    }
    for (const update of updates) {
      const execution = this.#get(update.executionId)
      const { expectedStates, unexpectedStates, expectedRevision } = update
      const expectation = {
        ...(expectedStates === undefined ? {} : { expectedStates }),
        ...(unexpectedStates === undefined ? {} : { unexpectedStates }),
        ...(expectedRevision === undefined ? {} : { expectedRevision }),
      }
      checkTransition(EXECUTION_MACHINE, execution, expectation, update.to ?? null)
      const to = update.to ?? execution.state
      this.put({
        ...execution,
        state: to,
        stateMessage: this.reword(update.message ?? ''),
        endReason: update.endReason ?? null,
        desiredState: update.patch?.desiredState ?? execution.desiredState,
        finishedAtMs: EXECUTION_MACHINE.terminal.has(to) ? this.nowMs : null,
      })
    }
    for (const created of newExecutions) {
      assert.ok(!this.executions.has(created.id))
      assert.ok(this.knows(created.nodeId), 'only nodes that are known get work')
      assert.equal(commands.filter(({ command }) => command.executionId === created.id).length, 1)
      this.put({
        ...blankExecution(created.id, created.jobId, created.nodeId, this.nowMs),
        jobVersion: created.jobVersion ?? 1,
        partition: created.partition ?? null,
        desiredState: created.desiredState ?? 'Pending',
        previousExecutionId: created.previousExecutionId ?? null,
        endsBefore: created.endsBefore ?? 0,
        revision: 0,
      })
    }
    if (job !== null) this.#moveJob(job.to, job.message)
    for (const { delayMs = 0, ...followUp } of followUps) {
      this.pending.push({ ...followUp, dueAtMs: this.nowMs + delayMs })
    }
  }

  #moveJob(to: JobState | null, message: string): void {
    checkTransition(JOB_MACHINE, this.job, {}, to)
    this.job = {
      ...this.job,
      state: to ?? this.job.state,
      stateMessage: this.reword(message),
      stateSinceMs: to === null ? this.job.stateSinceMs : this.nowMs,
      revision: this.job.revision + 1,
    }
  }

  #get(id: string): Execution {
    const execution = this.executions.get(id)
    assert.ok(execution, `execution ${id} exists`)
    return execution
  }

  /** Writes an execution as it is now. */
  put(execution: Execution): void {
    this.executions.set(execution.id, {
      ...execution,
      revision: execution.revision + 1,
      modifiedAtMs: this.nowMs,
    })
  }
}

/** An execution that its node was asked to do and has said nothing of. */
export function blankExecution(id: string, jobId: string, nodeId: string, nowMs: number): Execution {
  return {
    id,
    jobId,
    jobVersion: 1,
    namespace: 'default',
    nodeId,
    evaluationId: null,
    partition: null,
    state: 'New',
    endReason: null,
    stateMessage: '',
    stateSinceMs: nowMs,
    desiredState: 'Pending',
    desiredMessage: '',
    previousExecutionId: null,
    endsBefore: 0,
    resources: null,
    publishedResult: null,
    runOutput: null,
    computeRevision: 0,
    revision: 1,
    createdAtMs: nowMs,
    modifiedAtMs: nowMs,
    finishedAtMs: null,
    deadlineAtMs: null,
  }
}
