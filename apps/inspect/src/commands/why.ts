import {
  formatTable,
  localTime,
  paint,
  printable,
  printableLines,
  printValues,
  span,
  type Terminal,
} from '@saltcod/cli-kit'
import { recoveryPolicy } from '@saltcod/recovery'
import type { ComputeExecution, Evaluation, Execution, HistoryEntry, Job } from '@saltcod/store-core'
import { findLmdbOwner } from '@saltcod/store-lmdb'
import type { ReadOptions } from '../cli/options.ts'
import { rfcTime } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import { ComputeNode } from '../explain/compute-node.ts'
import { type Moment, timelineOf } from '../explain/timeline.ts'
import { explainJob } from '../explain/verdict.ts'
import { findArchivedJob, openPlace } from '../store/archive.ts'
import { notFound } from '../store/find-record.ts'
import { isCompute } from '../store/is-compute.ts'
import { eachStore, type OpenedExecutions, type OpenedJobs, type OpenedStore } from '../store/open-store.ts'
import { orNothing } from '../store/or-nothing.ts'
import { readRecoveryPolicy } from '../store/recovery-policy.ts'
import { readPages } from '../store/store-pages.ts'

/** Options of `why`. */
export interface WhyOptions extends ReadOptions {
  readonly namespace: string
  readonly archive?: string
}

interface Explanation {
  readonly subject: string
  readonly id: string
  readonly state: string
  readonly sinceMs: number
  readonly because: string[]
  readonly next: string[]
  readonly timeline: Moment[]
  /** The store or the archive that it is in. */
  readonly source: string
}

/** An explanation that is still added to. */
interface Found extends Explanation {
  /** Those of the job. */
  readonly executionIds: readonly string[]
}

const MAX_ENTRIES = 10_000

/** Tells why a job or an execution is where it is, since when, and what happens next. */
export async function why(
  terminal: Terminal,
  store: string,
  id: string,
  options: WhyOptions,
): Promise<ExitCode | undefined> {
  const place = await openPlace(terminal, store, options.archive)
  const found: Found[] = []
  const policy = place.store === null ? recoveryPolicy() : await readRecoveryPolicy(place.store)
  const unreadable = new Set<string>()
  const each = async (visit: (opened: OpenedStore) => Promise<void>): Promise<ExitCode | undefined> =>
    place.store === null ? undefined : await eachStore(terminal, place.store, visit, unreadable)
  const jobIn = async (opened: OpenedJobs): Promise<Job | undefined> =>
    (await orNothing(opened.store.findJob(id, options.namespace))) ?? (await jobOfExecution(opened, id))
  await each(async (opened) => {
    if (opened.kind === 'executions') return
    const job = await jobIn(opened)
    if (job !== undefined) found.push(await explainIn(terminal, opened, job))
  })
  if (found.length === 0 && place.archive !== null) {
    const archived = await findArchivedJob(place.archive, id, options.namespace)
    const job = archived === null ? undefined : await jobIn(archived)
    if (archived !== null && job !== undefined)
      found.push(asArchived(await explainIn(terminal, archived, job)))
  }
  // What the compute nodes of the same repository wrote of the executions belongs into the same order of time.
  const code = await each(async (opened) => {
    if (opened.kind !== 'executions') return
    const node = new ComputeNode(terminal, opened, policy)
    const own = await orNothing(opened.store.findExecution(id))
    if (found.length === 0 && own !== undefined && isCompute(own)) {
      found.push(await explainCompute(node, opened, own))
      return
    }
    for (const one of found) await addFacts(one, opened, node)
  })
  if (found.length === 0)
    throw notFound('job', id, store, `in namespace ${options.namespace}, and no execution`, code)
  for (const { timeline } of found) timeline.sort((a, b) => a.atMs - b.atMs)
  printValues(terminal, options.output, found, {
    toRow: (explanation) => ({
      ...rowOf(explanation),
      ...(place.archive === null ? {} : { source: explanation.source }),
    }),
    toText: (explanation) => textOf(terminal, explanation),
  })
  return code
}

/** Adds what a compute node knows of a job's executions. */
async function addFacts(found: Found, { store }: OpenedExecutions, node: ComputeNode): Promise<void> {
  for (const executionId of found.executionIds) {
    const execution = await store.getExecution(executionId)
    if (execution === null) continue
    const { because, next, timeline } = await node.factsOf(execution)
    found.because.push(...because)
    found.next.push(...next)
    found.timeline.push(...timeline)
  }
}

/** What has left the store is not waiting for anything. */
function asArchived(explanation: Found): Found {
  return {
    ...explanation,
    because: [...explanation.because, `it has left the store, and is in the archive ${explanation.source}`],
    next: ['nothing by itself: saltcod archive restore, or saltcod-inspect unarchive, brings it back'],
  }
}

async function jobOfExecution({ store }: OpenedJobs, id: string): Promise<Job | undefined> {
  const execution = await orNothing(store.findExecution(id))
  return execution === undefined ? undefined : ((await store.getJob(execution.jobId)) ?? undefined)
}

async function explainIn(terminal: Terminal, { path, store }: OpenedJobs, job: Job): Promise<Found> {
  const paging = { limit: MAX_ENTRIES, cursor: undefined }
  const executions: Execution[] = []
  const evaluations: Evaluation[] = []
  const history: HistoryEntry[] = []
  const jobId = job.id
  await readPages(
    terminal,
    paging,
    (request) => store.listExecutions({ jobId, ...request }),
    (item) => executions.push(item),
  )
  await readPages(
    terminal,
    paging,
    (request) => store.listEvaluations({ jobId, ...request }),
    (item) => evaluations.push(item),
  )
  await readPages(
    terminal,
    paging,
    (request) => store.listHistory({ jobId, ...request }),
    (item) => history.push(item),
  )
  const waitingMessages = new Map<string, number>()
  for (const destination of new Set(executions.map(({ nodeId }) => nodeId))) {
    const [oldest] = await store.readOutbox({ destination, limit: 1 })
    if (oldest !== undefined) waitingMessages.set(destination, oldest.atMs)
  }
  const queueing = new Map(
    history.flatMap(({ executionId, event }): [string, string][] =>
      executionId !== null && event.topic === 'Queueing' ? [[executionId, event.message]] : [],
    ),
  )
  const { because, next } = explainJob({
    job,
    executions,
    pending: evaluations.filter(({ status }) => status === 'pending'),
    newest: evaluations.at(-1),
    waitingMessages,
    queueing,
    nodeRuns: (await findLmdbOwner(path)).running,
    nowMs: Date.now(),
  })
  return {
    subject: `job ${job.name} (${job.id})`,
    id: job.id,
    state: job.state,
    sinceMs: job.stateSinceMs,
    because: [...because],
    next: [...next],
    timeline: timelineOf(history, evaluations),
    source: path,
    executionIds: executions.map((execution) => execution.id),
  }
}

async function explainCompute(
  node: ComputeNode,
  { path }: OpenedExecutions,
  execution: ComputeExecution,
): Promise<Found> {
  const { because, next, timeline } = await node.explain(execution)
  return {
    subject: `execution ${execution.id} of job ${execution.job.name}`,
    id: execution.id,
    state: execution.state,
    sinceMs: execution.stateSinceMs,
    because: [...because],
    next: [...next],
    timeline: [...timeline],
    source: path,
    executionIds: [],
  }
}

function rowOf({
  id,
  subject,
  state,
  sinceMs,
  because,
  next,
  timeline,
}: Explanation): Record<string, unknown> {
  return {
    id,
    subject,
    state,
    since: rfcTime(sinceMs),
    because: unique(because),
    next: unique(next),
    timeline: timeline.map(({ atMs, who, what }) => ({ at: rfcTime(atMs), who, what })),
  }
}

/** Several executions may wait for the same thing. */
function unique(sentences: readonly string[]): string[] {
  return [...new Set(sentences)]
}

function textOf(
  terminal: Terminal,
  { subject, state, sinceMs, because, next, timeline }: Explanation,
): string {
  const nowMs = Date.now()
  // What nodes say may have several lines.
  const list = (items: readonly string[]): string =>
    items.map((item) => `  ${printableLines(item.replaceAll('\n', '\n    '))}\n`).join('')
  const title = (text: string): string => `${paint(terminal, 'bold', text)}\n`
  const head = `${printable(subject)} is ${paint(terminal, 'bold', state)} since ${localTime(sinceMs)}, for ${span(nowMs - sinceMs)}\n`
  let before = timeline[0]?.atMs ?? 0
  const rows = timeline.map(({ atMs, who, what }) => {
    const later = atMs - before
    before = atMs
    return [localTime(atMs), later < 1_000 ? '' : `+${span(later)}`, who, what]
  })
  return `${head}\n${title('Because')}${list(unique(because))}\n${title('Next')}${list(unique(next))}\n${title('What happened')}${formatTable(terminal, [], rows)}`
}
