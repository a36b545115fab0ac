import { isLongRunning, onlyTask } from '@saltcod/bacalhau-records'
import type { EndReason, Execution } from '@saltcod/store-core'
import { EXECUTION_MACHINE, JOB_MACHINE } from '@saltcod/store-core'
import { ENDS_DETAIL, HEALTHY_DETAIL } from '../../wire/health-details.ts'
import { drainText, leavesDrained } from './drain.ts'
import type { Suitability } from './node-choice.ts'
import { NodePicker, suitableNodes } from './node-choice.ts'
import { PlanBuilder } from './plan-builder.ts'
import { refusalLines } from './refusals.ts'
import { healthyText, isHealthy, restartText } from './restarts.ts'
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
  const resting = verdicts.some(
    ([, verdict]) => verdict.kind === 'wanted' && verdict.notBeforeMs > view.nowMs,
  )
  const rests = resting && unplaced.length === 0 && isLongRunning(job.type)
  if (running || rests) {
    if (unplaced.length === 0) tellHealth(view, plan, verdicts)
    else {
      plan.moveJob('Running', waitText(view, unplaced, slots.length, choice))
      lookForNodes(view, plan)
    }
  } else if (unplaced.length > 0) queue(view, plan, unplaced, slots.length, choice)
  else if (slots.length === 0 && job.type !== 'batch') queue(view, plan, [], 0, choice)
}

/** Ends what is out of time or whose node is gone, and returns the execution as it is then. */
function endOverdue(view: SchedulingView, plan: PlanBuilder, execution: Execution): Execution {
  if (EXECUTION_MACHINE.terminal.has(execution.state)) return execution
  const { nowMs, lostNodes } = view
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
  const loss = lostNodes.get(execution.nodeId)
  return loss === undefined ? leaveDrained(view, plan, execution) : end('node-lost', loss)
}

/** Has an execution leave a node that is drained, now or at the deadline, and returns it as it is then. */
function leaveDrained(view: SchedulingView, plan: PlanBuilder, execution: Execution): Execution {
  const { job, nowMs, drainedNodes } = view
  const drain = drainedNodes.get(execution.nodeId)
  if (drain === undefined || execution.desiredState === 'Stopped') return execution
  if (!leavesDrained(job.type, execution, drain, nowMs)) {
    if (drain.deadlineAtMs !== null)
      plan.lookAgain(drain.deadlineAtMs, 'node-leave', 'its node is drained until then')
    return execution
  }
  const reason = drainText(execution.nodeId, drain)
  plan.stop(execution, 'drained', reason)
  return {
    ...execution,
    state: 'Cancelled',
    stateMessage: reason,
    endReason: 'drained',
    desiredState: 'Stopped',
    finishedAtMs: nowMs,
  }
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
  // What should run on every node does not wait for one that is drained; it comes back as a new one does.
  if (job.type === 'daemon') for (const nodeId of view.drainedNodes.keys()) nodeIds.delete(nodeId)
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

/** A share that no node can do now, and the nodes that refused it. */
type Unplaced = Pick<Slot, 'nodeId'> & Pick<Extract<SlotVerdict, { kind: 'wanted' }>, 'refusals'>

/** Asks nodes to do the shares that are wanted, and returns those that no node can do now. */
function fill(
  view: SchedulingView,
  plan: PlanBuilder,
  verdicts: readonly [Slot, SlotVerdict][],
  choice: Suitability,
): Unplaced[] {
  const picker = new NodePicker(choice.suitable)
  const connected = new Set(choice.suitable.map((node) => node.description.nodeId))
  const unplaced: Unplaced[] = []
  for (const [slot, verdict] of verdicts) {
    if (verdict.kind !== 'wanted') continue
    if (verdict.notBeforeMs > view.nowMs) {
      plan.lookAgain(verdict.notBeforeMs, 'exec-failure', 'waits before the next attempt')
      continue
    }
    const fixed = slot.nodeId !== null && connected.has(slot.nodeId) ? slot.nodeId : null
    const nodeId = slot.nodeId === null ? picker.pick(verdict.refusals)?.description.nodeId : fixed
    if (nodeId === undefined || nodeId === null) {
      unplaced.push({ nodeId: slot.nodeId, refusals: verdict.refusals })
      continue
    }
    const { partition } = slot
    const { previousExecutionId, restarts } = verdict
    plan.ask({ nodeId, partition, previousExecutionId, endsBefore: restarts?.inARow ?? 0 })
  }
  return unplaced
}

/** Says of a job that should run for ever whether it does. */
function tellHealth(
  { job, rules: { restarts: rules }, nowMs }: SchedulingView,
  plan: PlanBuilder,
  verdicts: readonly [Slot, SlotVerdict][],
): void {
  if (!isLongRunning(job.type)) {
    plan.moveJob('Running', '')
    return
  }
  const struggling = verdicts
    .flatMap(([, verdict]) => ('restarts' in verdict && verdict.restarts !== null ? [verdict.restarts] : []))
    .filter(({ last }) => last !== null)
    .toSorted((a, b) => b.inARow - a.inARow)
  const [worst] = struggling
  if (worst !== undefined) {
    plan.moveJob('Running', restartText(worst, rules), { [ENDS_DETAIL]: String(worst.inARow) })
    return
  }
  const isUp = verdicts.every(
    ([, verdict]) => verdict.kind === 'live' && isHealthy(verdict.execution, rules.minHealthyMs, nowMs),
  )
  if (isUp) plan.moveJob('Running', healthyText(rules), { [HEALTHY_DETAIL]: 'true' })
  else plan.moveJob('Running', '')
}

/** Has the job wait for nodes, or fail where waiting makes no sense. */
function queue(
  view: SchedulingView,
  plan: PlanBuilder,
  unplaced: readonly Unplaced[],
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
  // Nodes that have only not come back yet since a restart change nothing about why it waits.
  if (job.state !== 'Queued' || trigger !== 'node-restart')
    plan.moveJob('Queued', waitText(view, unplaced, wanted, choice))
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
  unplaced: readonly Unplaced[],
  wanted: number,
  choice: Suitability,
): string {
  const refusals = refusalsOf(view, unplaced, choice)
  const suitable = Math.max(view.nodes.length - refusals.size, 0)
  return `not enough nodes to run job. requested: ${wanted}, available: ${view.nodes.length}, suitable: ${suitable}.${refusalLines(refusals)}`
}

/** Says why a job, or a part of it, waits for a node. */
function waitText(
  view: SchedulingView,
  unplaced: readonly Unplaced[],
  wanted: number,
  choice: Suitability,
): string {
  const part = unplaced.length < wanted ? `${unplaced.length} of ${wanted} executions: ` : ''
  if (view.nodes.length === 0) return `${part}no node is connected`
  return `${part}no connected node can do it${refusalLines(refusalsOf(view, unplaced, choice))}`
}

/** Returns why each node does not do what is left of a job. */
function refusalsOf(
  view: SchedulingView,
  unplaced: readonly Unplaced[],
  choice: Suitability,
): ReadonlyMap<string, string> {
  const found = new Map(choice.reasons)
  const connected = new Set(view.nodes.map(({ description }) => description.nodeId))
  for (const { nodeId, refusals } of unplaced) {
    for (const [refuser, reason] of refusals) found.set(refuser, reason)
    if (nodeId === null || connected.has(nodeId)) continue
    found.set(nodeId, view.drainedNodes.has(nodeId) ? 'it is drained' : 'it is not connected')
  }
  return found
}

function endJob(view: SchedulingView, plan: PlanBuilder, to: 'Failed', message: string): void {
  plan.moveJob(to, message)
  stopAll(view, plan, message)
}

function stopAll(view: SchedulingView, plan: PlanBuilder, reason: string): void {
  for (const execution of view.executions) plan.stop(execution, 'stopped', reason)
}
