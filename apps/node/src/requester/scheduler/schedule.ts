import { isLongRunning } from '@saltcod/bacalhau-records'
import type { EndReason, Execution } from '@saltcod/store-core'
import { EXECUTION_MACHINE, JOB_MACHINE } from '@saltcod/store-core'
import { ENDS_DETAIL, HEALTHY_DETAIL } from '../../wire/health-details.ts'
import { drainText, leavesDrained } from './drain.ts'
import { fill } from './fill.ts'
import { needsOf } from './needs.ts'
import type { Suitability } from './node-choice.ts'
import { suitableNodes } from './node-choice.ts'
import { PlanBuilder } from './plan-builder.ts'
import { healthyText, isHealthy, restartText } from './restarts.ts'
import type { Slot, SlotVerdict } from './slot.ts'
import { judgeSlot } from './slot.ts'
import type { Decision, SchedulingView } from './view.ts'
import { hasPatience, lookForNodes, type Wait, waitText, whyNotEnough } from './wait.ts'

/** So long it is waited for what a node has to say that is not heard, beyond the time of an execution. */
const AWAIT_MS = 60_000

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
  const needs = needsOf(job.spec)
  const choice = suitableNodes(needs, view.nodes)
  const slots = slotsOf(view, current, choice)
  const verdicts = slots.map((slot): [Slot, SlotVerdict] => [slot, judgeThere(view, slot, choice)])
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
  const unplaced = fill(view, plan, verdicts, { needs, choice })
  const wait = { needs, choice, unplaced, wanted: slots.length }
  const resting = verdicts.some(
    ([, verdict]) => verdict.kind === 'wanted' && verdict.notBeforeMs > view.nowMs,
  )
  const rests = resting && unplaced.length === 0 && isLongRunning(job.type)
  if (running || rests) {
    if (unplaced.length === 0) tellHealth(view, plan, verdicts)
    else {
      plan.moveJob('Running', waitText(wait))
      lookForNodes(view, plan, wait, false)
    }
  } else if (unplaced.length > 0 || (slots.length === 0 && job.type !== 'batch')) queue(view, plan, wait)
}

/** Ends what is out of time or whose node is gone, and returns the execution as it is then. */
function endOverdue(view: SchedulingView, plan: PlanBuilder, execution: Execution): Execution {
  if (EXECUTION_MACHINE.terminal.has(execution.state)) return execution
  const { nowMs, lostNodes, awaitedNodes } = view
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
  const loss = lostNodes.get(execution.nodeId)
  if (loss !== undefined) return end('node-lost', loss)
  if (execution.deadlineAtMs !== null && execution.deadlineAtMs <= nowMs) {
    if (!awaitedNodes.has(execution.nodeId)) return end('timed-out', 'execution timed out')
    plan.await(execution, nowMs + AWAIT_MS)
  }
  return leaveDrained(view, plan, execution)
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

/** Judges a share by its executions, and by what has become of the only node that could do it. */
function judgeThere(
  { job, rules, nowMs, lostNodes }: SchedulingView,
  slot: Slot,
  { suitable }: Suitability,
): SlotVerdict {
  const { nodeId } = slot
  const verdict = judgeSlot(job, slot, rules, nowMs)
  if (job.type !== 'ops' || verdict.kind !== 'wanted' || nodeId === null) return verdict
  const loss = lostNodes.get(nodeId)
  if (loss === undefined || suitable.some(({ description }) => description.nodeId === nodeId)) return verdict
  return { kind: 'failed', reason: loss }
}

function slotsOf(view: SchedulingView, current: readonly Execution[], choice: Suitability): Slot[] {
  const { job } = view
  const oldestFirst = current.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1))
  if (job.type === 'batch' || job.type === 'service') {
    const shares = groupBy(oldestFirst, ({ partition }) => partition ?? 0)
    return Array.from({ length: job.count }, (_, partition) => ({
      partition,
      nodeId: null,
      executions: shares.get(partition) ?? [],
    }))
  }
  const nodeIds = new Set(oldestFirst.map((execution) => execution.nodeId))
  for (const { description } of choice.suitable) nodeIds.add(description.nodeId)
  // What should run on every node waits for none that is drained or gone; that comes back as a new one does.
  if (job.type === 'daemon') {
    for (const nodeId of [...view.drainedNodes.keys(), ...view.lostNodes.keys()]) nodeIds.delete(nodeId)
  }
  // A node that is away for a moment is not left out by a job that is over when it returns.
  const awaited = job.type === 'ops' ? choice.closed.filter(({ closing }) => closing === 'silent') : []
  for (const { description } of awaited) nodeIds.add(description.nodeId)
  const shares = groupBy(oldestFirst, ({ nodeId }) => nodeId)
  return [...nodeIds].map((nodeId) => ({ partition: null, nodeId, executions: shares.get(nodeId) ?? [] }))
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
function queue(view: SchedulingView, plan: PlanBuilder, wait: Wait): void {
  const { job, trigger } = view
  if (!hasPatience(view, wait)) {
    endJob(view, plan, 'Failed', whyNotEnough(wait))
    return
  }
  // Nodes that have only not come back yet since a restart change nothing about why it waits.
  if (job.state !== 'Queued' || trigger !== 'node-restart') plan.moveJob('Queued', waitText(wait))
  lookForNodes(view, plan, wait, true)
}

function endJob(view: SchedulingView, plan: PlanBuilder, to: 'Failed', message: string): void {
  plan.moveJob(to, message)
  stopAll(view, plan, message)
}

function stopAll(view: SchedulingView, plan: PlanBuilder, reason: string): void {
  for (const execution of view.executions) plan.stop(execution, 'stopped', reason)
}

function groupBy<K>(
  executions: readonly Execution[],
  keyOf: (execution: Execution) => K,
): ReadonlyMap<K, readonly Execution[]> {
  const groups = new Map<K, Execution[]>()
  for (const execution of executions) {
    const key = keyOf(execution)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [execution])
    else group.push(execution)
  }
  return groups
}
