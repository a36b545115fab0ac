import {
  formatTable,
  indented,
  localTime,
  paint,
  printable,
  printValues,
  span,
  type Terminal,
} from '@saltcod/cli-kit'
import { type RecoveryPolicy, recoveryPolicy } from '@saltcod/recovery'
import type { ComputeExecution, Job } from '@saltcod/store-core'
import type { ReadOptions } from '../cli/options.ts'
import { rfcTime } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import type { Explanation } from '../explain/explanation.ts'
import type { ExecutionSource, ExplainedNode, JobSource } from '../source/record-source.ts'
import { findArchivedJob, openPlace } from '../store/archive.ts'
import { notFound } from '../store/find-record.ts'
import { isCompute } from '../store/is-compute.ts'
import { orNothing } from '../store/or-nothing.ts'
import { readRecoveryPolicy } from '../store/recovery-policy.ts'

/** Options of `why`. */
export interface WhyOptions extends ReadOptions {
  readonly namespace: string
  readonly archive?: string
}

/** An explanation that is still added to. */
interface Found extends Explanation {
  /** The store or the archive that it is in. */
  readonly source: string
}

/** Tells why a job or an execution is where it is, since when, and what happens next. */
export async function why(
  terminal: Terminal,
  store: string,
  id: string,
  options: WhyOptions,
): Promise<ExitCode | undefined> {
  const place = await openPlace(terminal, store, options.archive)
  let found: Found[] = []
  let policy: Promise<RecoveryPolicy> | undefined
  const readPolicy = async (): Promise<RecoveryPolicy> => {
    policy ??= place.sources === null ? Promise.resolve(recoveryPolicy()) : readRecoveryPolicy(store)
    return await policy
  }
  const jobIn = async (source: JobSource): Promise<Job | undefined> =>
    (await orNothing(source.store.findJob(id, options.namespace))) ?? (await jobOfExecution(source, id))
  await place.sources?.each(async (source) => {
    if (source.kind === 'executions') return
    const job = await jobIn(source)
    if (job !== undefined) found.push({ ...(await source.explain(terminal, job)), source: source.path })
  })
  if (found.length === 0 && place.archive !== null) {
    const archived = await findArchivedJob(place.archive, id, options.namespace)
    const job = archived === null ? undefined : await jobIn(archived)
    if (archived !== null && job !== undefined)
      found.push(asArchived({ ...(await archived.explain(terminal, job)), source: archived.path }))
  }
  // What the compute nodes of the same repository wrote of the executions belongs into the same order of time.
  const code = await place.sources?.each(async (source) => {
    if (source.kind !== 'executions') return
    const node = source.node(terminal, readPolicy)
    const own = await orNothing(source.store.findExecution(id))
    if (found.length === 0 && own !== undefined && isCompute(own)) {
      found.push(await explainCompute(node, source, own))
      return
    }
    found = await Promise.all(found.map(async (one) => await withFacts(one, source, node)))
  })
  if (found.length === 0)
    throw notFound('job', id, store, `in namespace ${options.namespace}, and no execution`, code)
  printValues(terminal, options.output, found.map(inOrder), {
    toRow: (explanation) => ({
      ...rowOf(explanation),
      ...(place.tellsSource ? { source: explanation.source } : {}),
    }),
    toText: (explanation) => textOf(terminal, explanation),
  })
  return code
}

function inOrder(found: Found): Found {
  const elsewhere = [...(found.elsewhere?.values() ?? [])].flat()
  return {
    ...found,
    because: [...found.because, ...elsewhere],
    timeline: [...found.timeline].sort((a, b) => a.atMs - b.atMs),
  }
}

/** Adds what a compute node knows of a job's executions. */
async function withFacts(found: Found, { store }: ExecutionSource, node: ExplainedNode): Promise<Found> {
  let added = found
  const elsewhere = new Map(found.elsewhere)
  for (const executionId of found.executionIds) {
    const execution = await store.getExecution(executionId)
    if (execution === null) continue
    elsewhere.delete(executionId)
    const { because, next, timeline } = await node.factsOf(execution)
    added = {
      ...added,
      because: [...added.because, ...because],
      next: [...added.next, ...next],
      timeline: [...added.timeline, ...timeline],
    }
  }
  return { ...added, elsewhere }
}

/** What has left the store is not waiting for anything. */
function asArchived(explanation: Found): Found {
  return {
    ...explanation,
    because: [...explanation.because, `it has left the store, and is in the archive ${explanation.source}`],
    next: ['nothing by itself: saltcod archive restore, or saltcod-inspect unarchive, brings it back'],
  }
}

async function jobOfExecution({ store }: JobSource, id: string): Promise<Job | undefined> {
  const execution = await orNothing(store.findExecution(id))
  return execution === undefined ? undefined : ((await store.getJob(execution.jobId)) ?? undefined)
}

async function explainCompute(
  node: ExplainedNode,
  { path }: ExecutionSource,
  execution: ComputeExecution,
): Promise<Found> {
  return {
    ...(await node.explain(execution)),
    subject: `execution ${execution.id} of job ${execution.job.name}`,
    id: execution.id,
    state: execution.state,
    sinceMs: execution.stateSinceMs,
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
  const list = (items: readonly string[]): string => items.map((item) => `  ${indented(item, 4)}\n`).join('')
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
