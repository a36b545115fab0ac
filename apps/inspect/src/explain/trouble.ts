import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { bytesText, countOf, oneLine, shellWord, shortId, span } from '@saltcod/cli-kit'
import { EXECUTION_MACHINE, type OutboxRow } from '@saltcod/store-core'
import type { LmdbOwner } from '@saltcod/store-lmdb'
import type { OpenedStore } from '../store/open-store.ts'
import { nodeQueue } from './node-queue.ts'
import type { StateAge } from './state-ages.ts'

/** Something that does not move although it should. */
export interface Trouble {
  /** Stable word for programs. */
  readonly kind:
    | 'node-not-running'
    | 'disk-low'
    | 'deadline-overdue'
    | 'evaluation-overdue'
    | 'job-stranded'
    | 'outbox-waiting'
    | 'quarantined'
    | 'waiting-long'
    | 'waiting-for-nodes'
    | 'left-behind'
  readonly id: string
  readonly message: string
  /** How long it has been so, in milliseconds; `null` where nothing tells. */
  readonly forMs: number | null
  /** The next thing to do. */
  readonly advice: string
}

/** A minute is longer than any of these takes in a healthy node. */
const PATIENCE_MS = 60_000
/** A job that nobody could place for so long deserves a look. */
const LONG_WAIT_MS = 600_000
const MAX_DEADLINES = 100
/** A node stops taking changes somewhat below; jobs need room for their results long before. */
const LOW_DISK_BYTES = 1_000_000_000
const LOW_DISK_SHARE = 0.05
const LOOKED_AT = 50

/** Finds what is stuck in a store, from indexes alone, so that it costs the same in a store of any size. */
export async function findTrouble(
  opened: OpenedStore,
  owner: LmdbOwner,
  ages: readonly StateAge[],
  nowMs: number,
): Promise<Trouble[]> {
  const found: Trouble[] = [...nodeTrouble(opened, owner, ages), ...diskTrouble(opened.path)]
  found.push(...(await overdueDeadlines(opened, owner, nowMs)))
  if (opened.kind === 'jobs') {
    found.push(...(await overdueEvaluations(opened, owner, nowMs)))
    found.push(...(await jobsWithoutNode(opened, ages, nowMs)))
    found.push(...(await waitingJobs(opened, nowMs)))
    found.push(...(await strandedJobs(opened, nowMs)))
  } else found.push(...(await waitingExecutions(opened, owner, nowMs)))
  found.push(...(await waitingMessages(opened, nowMs)))
  const { quarantined } = await opened.store.info()
  if (quarantined > 0) {
    found.push({
      kind: 'quarantined',
      id: '',
      message: `${countOf(quarantined, 'damaged record')} passed over`,
      forMs: null,
      advice: `see which with saltcod-inspect check ${shellWord(opened.path)}; restore them from a backup, or repair`,
    })
  }
  return found
}

/** A node that is not there although there is work for it. A file that no node has opened is a copy. */
function nodeTrouble({ path, kind }: OpenedStore, owner: LmdbOwner, ages: readonly StateAge[]): Trouble[] {
  if (owner.running || owner.lastEnd === 'none') return []
  const unfinished = ages
    .filter((age) => !age.ended && (age.kind === 'job') === (kind === 'jobs'))
    .reduce((sum, { records }) => sum + records, 0)
  const died = owner.lastEnd === 'died'
  if (!died && unfinished === 0) return []
  const noun = kind === 'jobs' ? 'job' : 'execution'
  const waiting = unfinished === 0 ? '' : `; ${countOf(unfinished, noun)} in progress`
  const how = died ? 'does not run, and it did not stop in good order' : 'is stopped'
  const plan =
    kind === 'jobs' ? '' : `; saltcod-inspect recover ${shellWord(path)} --plan tells what that will do`
  return [
    {
      kind: 'node-not-running',
      id: '',
      message: `the node ${how}${waiting}`,
      forMs: null,
      advice: died
        ? `look at its log, then start it; saltcod-inspect check ${shellWord(path)} says whether the store is sound`
        : `start the node${plan}`,
    },
  ]
}

function diskTrouble(path: string): Trouble[] {
  const { bavail, blocks, bsize } = statfsSync(dirname(path))
  const freeBytes = bavail * bsize
  if (freeBytes > LOW_DISK_BYTES || bavail > blocks * LOW_DISK_SHARE) return []
  return [
    {
      kind: 'disk-low',
      id: '',
      message: `the file system of the store has ${bytesText(freeBytes)} left`,
      forMs: null,
      advice: 'free space, or let saltcod gc remove what has ended; without space the node takes no changes',
    },
  ]
}

async function waitingExecutions(
  opened: Extract<OpenedStore, { kind: 'executions' }>,
  owner: LmdbOwner,
  nowMs: number,
): Promise<Trouble[]> {
  if (!owner.running) return []
  const { running, waiting, runningSinceMs, waitingSinceMs } = await nodeQueue(opened)
  if (waitingSinceMs === null || waitingSinceMs > nowMs - LONG_WAIT_MS) return []
  const longest = runningSinceMs === null ? '' : `, the longest for ${span(nowMs - runningSinceMs)}`
  return [
    {
      kind: 'waiting-long',
      id: '',
      message: `${countOf(waiting, 'execution')} in the queue of the node, the first for ${span(nowMs - waitingSinceMs)}; ${running} run${longest}`,
      forMs: nowMs - waitingSinceMs,
      advice:
        running === 0
          ? `nothing runs, so they may want more than the node has: saltcod-inspect executions ${shellWord(opened.path)} --in-progress`
          : `see what holds the node: saltcod-inspect executions ${shellWord(opened.path)} --state Running --oldest-first`,
    },
  ]
}

async function overdueDeadlines(
  { path, store }: OpenedStore,
  owner: LmdbOwner,
  nowMs: number,
): Promise<Trouble[]> {
  const due = (await store.dueDeadlines({ limit: MAX_DEADLINES })).filter(
    ({ dueAtMs }) => dueAtMs < nowMs - PATIENCE_MS,
  )
  const [oldest] = due
  if (oldest === undefined) return []
  const many =
    due.length === MAX_DEADLINES ? `${MAX_DEADLINES} or more deadlines` : countOf(due.length, 'deadline')
  const forMs = nowMs - oldest.dueAtMs
  return [
    {
      kind: 'deadline-overdue',
      id: oldest.id,
      message: `${many} passed without effect, the oldest (${oldest.kind} ${shortId(oldest.id)}) ${span(forMs)} ago`,
      forMs,
      advice: owner.running
        ? `the node runs but does not act on deadlines: look at its log; why: saltcod-inspect why ${shellWord(path)} ${oldest.id}`
        : 'start the node: it acts on them at once',
    },
  ]
}

async function overdueEvaluations(
  { path, store }: Extract<OpenedStore, { kind: 'jobs' }>,
  owner: LmdbOwner,
  nowMs: number,
): Promise<Trouble[]> {
  const nextMs = await store.nextEvaluationMs()
  if (nextMs === null || nextMs >= nowMs - PATIENCE_MS) return []
  const forMs = nowMs - nextMs
  return [
    {
      kind: 'evaluation-overdue',
      id: '',
      message: `work for the scheduler has been due for ${span(forMs)}`,
      forMs,
      advice: owner.running
        ? `the node runs but does not schedule: look at its log, and at saltcod-inspect evaluations ${shellWord(path)} --status pending`
        : 'start the node: it goes on with it at once',
    },
  ]
}

/** A job is queued where no node that is connected can do it, or none of those has room. */
async function jobsWithoutNode(
  { path, store }: Extract<OpenedStore, { kind: 'jobs' }>,
  ages: readonly StateAge[],
  nowMs: number,
): Promise<Trouble[]> {
  const queued = ages.find((age) => age.kind === 'job' && age.state === 'Queued')?.records ?? 0
  if (queued === 0) return []
  const { items } = await store.listJobs({ states: ['Queued'], limit: LOOKED_AT })
  const [oldest] = items
  if (oldest === undefined) return []
  const jobs = new Map<string, number>()
  for (const { stateMessage } of items) jobs.set(stateMessage, (jobs.get(stateMessage) ?? 0) + 1)
  const [reason = '', many = 0] = [...jobs].toSorted(([, a], [, b]) => b - a)[0] ?? []
  const share = many === items.length ? '' : ` (${many} of the ${items.length} that wait longest)`
  const why = reason === '' ? '' : `: ${oneLine(reason)}${share}`
  return [
    {
      kind: 'waiting-for-nodes',
      id: oldest.id,
      message: `${countOf(queued, 'job')} in Queued, waiting for a node that can do it and has room${why}`,
      forMs: nowMs - oldest.stateSinceMs,
      advice: `start another node that can do it, or stop the job; why, for each of them: saltcod-inspect why ${shellWord(path)} ${shortId(oldest.id)}`,
    },
  ]
}

async function waitingJobs(
  { path, store }: Extract<OpenedStore, { kind: 'jobs' }>,
  nowMs: number,
): Promise<Trouble[]> {
  const [oldest] = (await store.listJobs({ states: ['Pending'], limit: 1 })).items
  if (oldest === undefined || oldest.stateSinceMs > nowMs - LONG_WAIT_MS) return []
  const forMs = nowMs - oldest.stateSinceMs
  return [
    {
      kind: 'waiting-long',
      id: oldest.id,
      message: `job ${oldest.name} has been Pending for ${span(forMs)}`,
      forMs,
      advice: `saltcod-inspect why ${shellWord(path)} ${shortId(oldest.id)}`,
    },
  ]
}

/** Looks at the oldest of those in progress: what nothing moves is soon among them. */
async function strandedJobs(
  { path, store }: Extract<OpenedStore, { kind: 'jobs' }>,
  nowMs: number,
): Promise<Trouble[]> {
  const found: Trouble[] = []
  for (const job of (await store.listJobs({ inProgress: true, limit: LOOKED_AT })).items) {
    const { items } = await store.listEvaluations({ jobId: job.id, reverse: true, limit: LOOKED_AT })
    if (items[0]?.status !== 'failed' || items.some(({ status }) => status === 'pending')) continue
    const executions = await store.listExecutions({ jobId: job.id, reverse: true, limit: LOOKED_AT })
    if (executions.items.some(({ state }) => !EXECUTION_MACHINE.terminal.has(state))) continue
    found.push({
      kind: 'job-stranded',
      id: job.id,
      message: `nothing will move job ${job.name}: its last evaluation failed${items[0].comment === '' ? '' : ` (${items[0].comment})`}`,
      forMs: nowMs - items[0].modifiedAtMs,
      advice: `saltcod-inspect why ${shellWord(path)} ${shortId(job.id)}; stop it, or create an evaluation of it`,
    })
  }
  return found
}

async function waitingMessages({ store }: OpenedStore, nowMs: number): Promise<Trouble[]> {
  const found: Trouble[] = []
  for (const destination of await store.outboxDestinations()) {
    const [oldest]: OutboxRow[] = await store.readOutbox({ destination, limit: 1 })
    if (oldest === undefined || oldest.atMs > nowMs - PATIENCE_MS) continue
    const forMs = nowMs - oldest.atMs
    found.push({
      kind: 'outbox-waiting',
      id: destination,
      message: `messages for ${destination} have waited for ${span(forMs)}`,
      forMs,
      advice: `see whether ${destination} runs and reaches this node`,
    })
  }
  return found
}
