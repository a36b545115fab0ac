import type { Task } from '@saltcod/bacalhau-records'
import type { ComputeExecution, Json } from '@saltcod/store-core'
import { hasResults, publisherKind } from '../publishers/kinds.ts'
import type { PublishAnswer, PublishOptions, SkippedResult } from '../publishers/publisher.ts'
import type { PublisherKind } from '../publishers/publisher-kind.ts'
import { parameterLines, readParameters } from '../spec/parameters.ts'
import { LEFT_OUT_DETAIL } from '../wire/left-out-detail.ts'
import { changeExecution, type ExecutionChange } from './change.ts'
import type { ComputeContext } from './context.ts'
import { completedText } from './ended-text.ts'
import { taskOf } from './job-task.ts'
import { workDirOf } from './layout.ts'
import { clearWork } from './run-files.ts'
import { isTaskError } from './task-error.ts'

const TOPIC = 'Publishing Results'
const MAX_NAMED = 10
/** The end of a path says more of it than its beginning. */
const LONGEST_NAMED = 200

/** What a run that ended well leaves to be recorded. */
export interface FinishedRun {
  readonly task: Task
  readonly exitCode: number | null
  readonly runOutput: Json
  /** Brings the results to where they are published from, and answers with what was left out. */
  readonly gather?: () => Promise<readonly SkippedResult[]>
}

/**
 * Records that a run ended well. Its results are on disk, whole and synced, before `Publishing` is committed; so
 * whatever happens after that, they can be published again.
 */
export async function publishRun(
  context: ComputeContext,
  execution: ComputeExecution,
  finished: FinishedRun,
): Promise<void> {
  const { id: executionId, job } = execution
  const { task, exitCode, runOutput, gather } = finished
  if (!hasResults(task)) {
    await clearWork(context, executionId)
    await changeExecution(context, execution, ({ state }) =>
      state === 'Running'
        ? {
            to: 'Completed',
            message: completedText(job, runOutput),
            topic: 'Running Execution',
            patch: { runOutput },
          }
        : null,
    )
    return
  }
  const answer = await keepResults(context, executionId, task, exitCode, gather)
  await clearWork(context, executionId)
  if (answer.status !== 'published') {
    await changeExecution(context, execution, ({ state }) =>
      state === 'Running' ? failure(answer, { runOutput }) : null,
    )
    return
  }
  const publishing = await changeExecution(context, execution, ({ state }) =>
    state === 'Running'
      ? { to: 'Publishing', message: 'Publishing', topic: TOPIC, patch: { runOutput } }
      : null,
  )
  if (publishing !== null) await complete(context, publishing, task, answer)
}

/** Publishes the kept results of a run that ended before a restart; fails the execution where they are gone. */
export async function publishAgain(context: ComputeContext, execution: ComputeExecution): Promise<void> {
  const { id, job } = execution
  const task = taskOf(job)
  const answer: Unpublished | PublishAnswer =
    task === null
      ? { status: 'results-lost', reason: 'the job has no task' }
      : await keepResults(context, id, task, undefined)
  await clearWork(context, id)
  if (answer.status === 'published') {
    if (task !== null) await complete(context, execution, task, answer)
    return
  }
  await changeExecution(context, execution, ({ state }) =>
    state === 'Publishing' ? failure(answer, {}) : null,
  )
}

type Published = Extract<PublishAnswer, { status: 'published' }>
type Unpublished = { readonly status: 'results-lost' | 'results-refused'; readonly reason: string }

/** The admission refuses a job whose publisher is none. */
function kindOf({ Publisher }: Task): PublisherKind {
  const kind = publisherKind(Publisher.Type)
  if (kind === undefined) throw new Error(`this node has no publisher ${JSON.stringify(Publisher.Type)}`)
  return kind
}

async function keepResults(
  { dataDir, settings }: ComputeContext,
  executionId: string,
  task: Task,
  exitCode: number | null | undefined,
  gather?: FinishedRun['gather'],
): Promise<PublishAnswer | Unpublished> {
  try {
    const kind = kindOf(task)
    const read = readParameters(kind, task.Publisher.Params)
    if ('problems' in read) {
      return { status: 'results-refused', reason: parameterLines(kind, task.Publisher.Params).join('; ') }
    }
    const leftOut = (await gather?.()) ?? []
    const publisher = await kind.load()
    const options: PublishOptions = {
      executionId,
      workDir: workDirOf(dataDir, executionId),
      resultsDir: settings.resultsDir,
      results: task.ResultPaths,
      maxBytes: settings.outputBytes,
      ...(exitCode === undefined ? {} : { exitCode }),
    }
    return withLeftOut(await publisher.publish(options, read.data), leftOut)
  } catch (error) {
    if (isTaskError(error)) return { status: 'results-refused', reason: error.message }
    throw error
  }
}

/** Adds what did not even come to where results are published from. */
function withLeftOut(answer: PublishAnswer, leftOut: readonly SkippedResult[]): PublishAnswer {
  if (answer.status !== 'published' || leftOut.length === 0) return answer
  const { manifest } = answer
  return { ...answer, manifest: { ...manifest, skipped: [...leftOut, ...manifest.skipped] } }
}

function failure({ status, reason }: Unpublished, patch: { readonly runOutput?: Json }): ExecutionChange {
  return { to: 'Failed', endReason: status, message: `No results: ${reason}`, topic: TOPIC, patch }
}

/** Says what is missing of the results, which nobody should find out by looking for it. */
function leftOutText(left: readonly string[], count: number): string {
  const [first] = left
  if (first === undefined) return ''
  return `; left out of its results: ${first.slice(-LONGEST_NAMED)}${count === 1 ? '' : `, and ${count - 1} more`}`
}

async function complete(
  context: ComputeContext,
  execution: ComputeExecution,
  task: Task,
  answer: Published,
): Promise<void> {
  const { manifest } = answer
  const { skipped } = manifest
  const publisher = await kindOf(task).load()
  const publishedResult = publisher.resultOf({ nodeId: context.nodeId, executionId: execution.id }, manifest)
  const left = skipped.slice(0, MAX_NAMED).map(({ path, reason }) => `${path} ${reason}`)
  const more = skipped.length > MAX_NAMED ? [`and ${skipped.length - MAX_NAMED} more`] : []
  await changeExecution(context, execution, ({ state, job, runOutput }) =>
    state === 'Publishing'
      ? {
          to: 'Completed',
          message: `${completedText(job, runOutput)}${leftOutText(left, skipped.length)}`,
          topic: TOPIC,
          ...(left.length === 0 ? {} : { details: { [LEFT_OUT_DETAIL]: [...left, ...more].join('; ') } }),
          patch: { publishedResult },
        }
      : null,
  )
}
