import type { EndReason, Execution } from '@saltcod/store-core'
import { EXECUTION_MACHINE, JOB_MACHINE } from '@saltcod/store-core'
import { onlyTask } from '../../spec/job-spec.ts'
import type { Suitability } from './node-choice.ts'
import { NodePicker, suitableNodes } from './node-choice.ts'
import { PlanBuilder } from './plan-builder.ts'
import type { Slot, SlotVerdict } from './slot.ts'
import { judgeSlot } from './slot.ts'
import type { Decision, SchedulingView } from './view.ts'

/** Decides what is to be done about a job. The same view gives the same decision, but for the ids. */
export function schedule(view: SchedulingView): Decision {
  const plan = new PlanBuilder(view)
  const { job, nowMs } = view
  if (JOB_MACHINE.terminal.has(job.state)) {
    stopAll(view, plan, job.stateMessage === '' ? `job is ${job.state}` : job.stateMessage)
  } else if (job.deadlineAtMs !== null && job.deadlineAtMs <= nowMs) {
    endJob(view, plan, 'Failed', 'job timed out: it took longer than its total timeout')
  } else {
    scheduleActive(view, plan)
  }
  return plan.finish()
}

function scheduleActive(view: SchedulingView, plan: PlanBuilder): void {
  const { job } = view
  for (const execution of view.executions) {
    if (execution.jobVersion !== job.version)
      plan.stop(execution, 'replaced', `replaced by version ${job.version} of the job`)
  }
  const current = view.executions
    .filter((execution) => execution.jobVersion === job.version)
    .map((execution) => endOverdue(view, plan, execution))
  const choice = suitableNodes(job, view.nodes)
  const slots = slotsOf(view, current, choice)
  const verdicts = slots.map((slot): [Slot, SlotVerdict] => [
    slot,
    judgeSlot(job, slot, view.rules, view.nowMs),
  ])
  for (const [, verdict] of verdicts) {
    if (verdict.kind !== 'live' && verdict.kind !== 'done') continue
    for (const surplus of verdict.surplus) plan.stop(surplus, 'surplus', 'another execution does the same')
  }
  if (endIfOver(view, plan, verdicts)) return

  let running = false
  for (const [, verdict] of verdicts) {
    if (verdict.kind !== 'live') continue
    const { execution } = verdict
    const answered = execution.state !== 'New' && execution.state !== 'AskForBid'
    if (answered && execution.desiredState === 'Pending') {
      if (execution.state === 'AskForBidAccepted') plan.approve(execution)
      else plan.adopt(execution)
    }
    running ||= answered
  }
  const unplaced = fill(view, plan, verdicts, choice)
  if (running) plan.moveJob('Running', '')
  else if (unplaced.length > 0) queue(view, plan, unplaced, slots.length, choice)
  else if (slots.length === 0 && job.type !== 'batch') queue(view, plan, [], 0, choice)
  if (running && unplaced.length > 0) lookForNodes(view, plan)
}

/** Ends what is out of time or whose node is gone, and returns the execution as it is then. */
function endOverdue(view: SchedulingView, plan: PlanBuilder, execution: Execution): Execution {
  if (EXECUTION_MACHINE.terminal.has(execution.state)) return execution
  const { nowMs, lostNodeIds } = view
  const end = (endReason: EndReason, reason: string): Execution => {
    plan.fail(execution, endReason, reason)
    return {
      ...execution,
      state: 'Failed',
      stateMessage: reason,
      endReason,
      desiredState: 'Stopped',
      finishedAtMs: nowMs,
    }
  }
  if (execution.deadlineAtMs !== null && execution.deadlineAtMs <= nowMs) {
    return end('timed-out', 'execution timed out')
  }
  if (!lostNodeIds.has(execution.nodeId)) return execution
  return end('node-lost', `node ${execution.nodeId} has not been heard of for too long`)
}

function slotsOf(view: SchedulingView, current: readonly Execution[], choice: Suitability): Slot[] {
  const { job, trigger } = view
  const oldestFirst = current.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1))
  if (job.type === 'batch' || job.type === 'service') {
    return Array.from({ length: job.count }, (_, partition) => ({
      partition,
      nodeId: null,
      executions: oldestFirst.filter((execution) => (execution.partition ?? 0) === partition),
    }))
  }
  const nodeIds = new Set(oldestFirst.map((execution) => execution.nodeId))
  // An ops job takes the nodes of the moment it began; a daemon takes every node that comes.
  if (job.type === 'daemon' || nodeIds.size === 0 || trigger === 'exec-limit') {
    for (const { description } of choice.suitable) nodeIds.add(description.nodeId)
  }
  return [...nodeIds].map((nodeId) => ({
    partition: null,
    nodeId,
    executions: oldestFirst.filter((execution) => execution.nodeId === nodeId),
  }))
}

/** Ends the job where its shares say so. Returns whether it did. */
function endIfOver(
  view: SchedulingView,
  plan: PlanBuilder,
  verdicts: readonly [Slot, SlotVerdict][],
): boolean {
  const { type } = view.job
  const failed = verdicts.flatMap(([, verdict]) => (verdict.kind === 'failed' ? [verdict.reason] : []))
  const [firstFailure] = failed
  if (firstFailure !== undefined && (type === 'batch' || type === 'service')) {
    endJob(view, plan, 'Failed', firstFailure)
    return true
  }
  if (type === 'service') return false
  const over = verdicts.every(([, { kind }]) => kind === 'done' || kind === 'failed')
  // Where a daemon has given up on every node, nothing would ever look at it again.
  if (!over || (verdicts.length === 0 && type !== 'batch')) return false
  if (firstFailure === undefined) plan.moveJob('Completed', '')
  else plan.moveJob('Failed', `failed on ${failed.length} of ${verdicts.length} nodes: ${firstFailure}`)
  return true
}

type Wanted = Extract<SlotVerdict, { kind: 'wanted' }>

/** Asks nodes to do the shares that are wanted, and returns those that no node can do now. */
function fill(
  view: SchedulingView,
  plan: PlanBuilder,
  verdicts: readonly [Slot, SlotVerdict][],
  choice: Suitability,
): Wanted[] {
  const picker = new NodePicker(choice.suitable)
  const connected = new Set(choice.suitable.map((node) => node.description.nodeId))
  const unplaced: Wanted[] = []
  for (const [slot, verdict] of verdicts) {
    if (verdict.kind !== 'wanted') continue
    if (verdict.notBeforeMs > view.nowMs) {
      plan.lookAgain(verdict.notBeforeMs, 'exec-failure', 'waits before the next attempt')
      continue
    }
    const fixed = slot.nodeId !== null && connected.has(slot.nodeId) ? slot.nodeId : null
    const nodeId = slot.nodeId === null ? picker.pick(verdict.refusals)?.description.nodeId : fixed
    if (nodeId === undefined || nodeId === null) {
      unplaced.push(verdict)
      continue
    }
    const { partition } = slot
    plan.ask({ nodeId, partition, previousExecutionId: verdict.previousExecutionId })
  }
  return unplaced
}

/** Has the job wait for nodes, or fail where waiting makes no sense. */
function queue(
  view: SchedulingView,
  plan: PlanBuilder,
  unplaced: readonly Wanted[],
  wanted: number,
  choice: Suitability,
): void {
  const { job, nodes, nowMs, trigger } = view
  const queueTimeoutMs = onlyTask(job.spec).Timeouts.QueueTimeout * 1000
  const waitedMs = job.state === 'Queued' ? nowMs - job.stateSinceMs : 0
  const patienceIsOver = queueTimeoutMs > 0 && waitedMs >= queueTimeoutMs
  // After a restart the nodes come back one by one, and a daemon waits for whatever comes.
  const mayCome = nodes.length === 0 || trigger === 'node-restart' || job.type === 'daemon'
  if (patienceIsOver || (queueTimeoutMs === 0 && !mayCome)) {
    endJob(view, plan, 'Failed', notEnoughNodes(view, unplaced, Math.max(wanted, 1), choice))
    return
  }
  plan.moveJob('Queued', nodes.length === 0 ? 'no node is connected' : 'no connected node can do it now')
  lookForNodes(view, plan)
}

function lookForNodes(view: SchedulingView, plan: PlanBuilder): void {
  const { job, nowMs, rules } = view
  const queueTimeoutMs = onlyTask(job.spec).Timeouts.QueueTimeout * 1000
  const sinceMs = job.state === 'Queued' ? job.stateSinceMs : nowMs
  const lastMs = queueTimeoutMs > 0 ? sinceMs + queueTimeoutMs : Number.POSITIVE_INFINITY
  plan.lookAgain(
    Math.min(nowMs + rules.queueBackoffMs, Math.max(lastMs, nowMs)),
    'job-queue',
    'waits for nodes',
  )
}

function notEnoughNodes(
  view: SchedulingView,
  unplaced: readonly Wanted[],
  wanted: number,
  choice: Suitability,
): string {
  const reasons = new Map(choice.reasons)
  for (const { refusals } of unplaced) {
    for (const [nodeId, reason] of refusals) reasons.set(nodeId, reason)
  }
  const lines = [...reasons].slice(0, 10).map(([nodeId, reason]) => `\n• Node ${nodeId}: ${reason}`)
  const suitable = view.nodes.length - reasons.size
  return `not enough nodes to run job. requested: ${wanted}, available: ${view.nodes.length}, suitable: ${Math.max(suitable, 0)}.${lines.join('')}`
}

function endJob(view: SchedulingView, plan: PlanBuilder, to: 'Failed', message: string): void {
  plan.moveJob(to, message)
  stopAll(view, plan, message)
}

function stopAll(view: SchedulingView, plan: PlanBuilder, reason: string): void {
  for (const execution of view.executions) plan.stop(execution, 'stopped', reason)
}
