import { onlyTask } from '@saltcod/bacalhau-records'
import type { Unplaced } from './fill.ts'
import type { JobNeeds } from './needs.ts'
import type { Suitability } from './node-choice.ts'
import { fullTexts } from './node-choice.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { refusalLines } from './refusals.ts'
import type { SchedulingView } from './view.ts'

/** What of a job waits for nodes. */
export interface Wait {
  readonly needs: JobNeeds
  readonly choice: Suitability
  readonly unplaced: readonly Unplaced[]
  /** How many shares the job has. */
  readonly wanted: number
}

/**
 * Tells whether a job of which nothing runs goes on waiting: not for longer than it wants, nor for what never comes.
 */
export function hasPatience({ job, trigger, nowMs }: SchedulingView, { choice, unplaced }: Wait): boolean {
  const timeoutMs = queueTimeoutMs({ job })
  if (timeoutMs > 0) return job.state !== 'Queued' || nowMs - job.stateSinceMs < timeoutMs
  const isFull = unplaced.length > 0 && unplaced.every((share) => share.isFull)
  // After a restart the nodes come back one by one, and a daemon waits for whatever comes.
  if (isFull || choice.connected === 0 || trigger === 'node-restart' || job.type === 'daemon') return true
  return choice.closed.some(({ closing }) => closing !== 'lost' && closing !== 'rejected')
}

/** Has a job looked at when a node may do what waits, or its time for waiting is over where `mayFail`. */
export function lookForNodes(view: SchedulingView, plan: PlanBuilder, wait: Wait, mayFail: boolean): void {
  const { job, nowMs, rules, remembersWaiting } = view
  const timeoutMs = queueTimeoutMs(view)
  const sinceMs = job.state === 'Queued' ? job.stateSinceMs : nowMs
  const lastMs = timeoutMs > 0 ? Math.max(sinceMs + timeoutMs, nowMs) : Number.POSITIVE_INFINITY
  const look = (atMs: number): void => plan.lookAgain(atMs, 'job-queue', 'waits for nodes')
  const isRemembered = remembersWaiting && (job.type === 'batch' || job.type === 'service')
  if (!isRemembered) {
    look(Math.min(nowMs + rules.queueBackoffMs, lastMs))
    return
  }
  const { needs, unplaced } = wait
  plan.wait({
    needs,
    shares: unplaced.length,
    notOn: refusedBy(unplaced),
    impatient: mayFail && timeoutMs === 0,
  })
  if (mayFail && timeoutMs > 0) look(lastMs)
}

/** Says why a job cannot be done. */
export function whyNotEnough(wait: Wait): string {
  const { choice, unplaced, wanted } = wait
  const refusers = new Set(unplaced.flatMap(({ refusals }) => [...refusals.keys()]))
  const suitable = choice.suitable.filter(({ description }) => !refusers.has(description.nodeId)).length
  return `not enough nodes to run job. requested: ${Math.max(wanted, 1)}, available: ${choice.connected}, suitable: ${suitable}.${refusalLines(refusalsOf(wait))}`
}

/** Says why a job, or a part of it, waits for a node. */
export function waitText(wait: Wait): string {
  const { choice, unplaced, wanted } = wait
  const part = unplaced.length < wanted ? `${unplaced.length} of ${wanted} executions: ` : ''
  if (choice.connected === 0) return `${part}no node is connected`
  const isFull = unplaced.some((share) => share.isFull)
  const what = isFull ? 'no node that can do it has room' : 'no connected node can do it'
  return `${part}${what}${refusalLines(refusalsOf(wait))}`
}

/** Returns why each node does not do what is left of a job. */
function refusalsOf({ needs, choice, unplaced }: Wait): ReadonlyMap<string, string> {
  const found = new Map(choice.reasons)
  for (const { nodeId, refusals } of unplaced) {
    for (const [refuser, reason] of refusals) found.set(refuser, reason)
    if (nodeId !== null && !found.has(nodeId)) found.set(nodeId, 'it is not connected')
  }
  if (!unplaced.some((share) => share.isFull)) return found
  const fullText = fullTexts(needs)
  for (const node of choice.suitable) {
    const { nodeId } = node.description
    if (!found.has(nodeId)) found.set(nodeId, fullText(node))
  }
  return found
}

/** The nodes that refused every one of the shares. */
function refusedBy([first, ...others]: readonly Unplaced[]): ReadonlySet<string> {
  const refusers = [...(first?.refusals.keys() ?? [])]
  return new Set(refusers.filter((nodeId) => others.every(({ refusals }) => refusals.has(nodeId))))
}

function queueTimeoutMs({ job }: Pick<SchedulingView, 'job'>): number {
  return onlyTask(job.spec).Timeouts.QueueTimeout * 1000
}
