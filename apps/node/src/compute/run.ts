import { executionTimeoutMs, isLongRunning, type Task } from '@saltcod/bacalhau-records'
import type { ComputeExecution, EndReason } from '@saltcod/store-core'
import type { Engine, EngineRun, PreparedRun, PrepareOptions, RunLimits } from '../engines/engine.ts'
import type { ExecutionWork } from '../inputs/work.ts'
import type { SkippedResult } from '../publishers/publisher.ts'
import { requestedCapacity } from '../spec/requested-capacity.ts'
import { ActiveRun } from './active-run.ts'
import { changeExecution, type ExecutionChange } from './change.ts'
import type { ComputeContext } from './context.ts'
import { endReasonOf } from './end-reason-of.ts'
import { endedRun } from './ended-run.ts'
import { endText, runOutputOf } from './ended-text.ts'
import { isFailureCode, taskOf } from './job-task.ts'
import type { EngineOutcome } from './keeper/outcome.ts'
import { type Hide, hideOf, type ResolvedTask, resolveTask } from './node-variables.ts'
import { publishRun } from './publication.ts'
import { clearWork, stageRun } from './run-files.ts'
import { isTaskError, type TaskErrorCode } from './task-error.ts'
import { ToldProgress } from './told-progress.ts'

const TOPIC = 'Running Execution'

/**
 * Carries out one attempt: stages, makes the process ready, commits `Running` with the attempt and the process,
 * and only then lets the job's own code begin; then records how it ended. A run that is interrupted leaves its
 * record as it is.
 */
export async function runExecution(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
): Promise<void> {
  const { engines, variables } = context.settings
  const written = taskOf(execution.job)
  const engine = written === null ? undefined : engines.get(written.Engine.Type)
  if (written === null || engine === undefined) {
    const problem =
      written === null
        ? 'its job has no task'
        : `this node has no engine ${JSON.stringify(written.Engine.Type)}`
    return await endEarly(context, execution, run, `It cannot be run: ${problem}`, TOPIC)
  }
  // The node may have other settings than when it took it.
  const resolved = resolveTask(written, variables)
  if (typeof resolved === 'string') return await endEarly(context, execution, run, resolved, TOPIC, 'denied')
  const { task, hide } = resolved
  let work: ExecutionWork
  try {
    work = await stageRun(context, execution, task, run.signal)
  } catch (error) {
    const reason = reasonOf(error)
    return await endEarly(context, execution, run, hide(messageOf(error)), 'Downloading Inputs', reason)
  }
  try {
    await runStaged(context, execution, run, { task, written, engine, work, hide })
  } finally {
    work.release()
  }
}

/** A task whose inputs are in their place. */
export interface StagedTask extends ResolvedTask {
  /** As its job says it, without the values of variables. */
  readonly written: Task
  readonly engine: Engine
  readonly work: ExecutionWork
}

async function runStaged(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
  { task, written, engine, work, hide }: StagedTask,
): Promise<void> {
  const attempt = execution.attempt + 1
  const engineRun = engineRunOf(context, execution, attempt, { task, engine, work })
  const told = new ToldProgress(context, execution)
  let current: ComputeExecution = execution
  let prepared: PreparedRun
  try {
    prepared = await engine.prepare(
      engineRun,
      prepareOptions(run, (text) => told.tell(hide(text))),
    )
  } catch (error) {
    current = await told.last()
    const reason = reasonOf(error)
    return await endEarly(context, current, run, hide(messageOf(error)), 'Preparing Environment', reason)
  }
  current = await told.last()
  const running = await commitRunning(context, current, run, prepared, attempt)
  if (running === null) {
    await prepared.abandon()
    return
  }
  const beganMs = performance.now()
  const outcome = { ...(await prepared.go()), ranMs: Math.round(performance.now() - beganMs) }
  await concludePrepared(context, running, run, { outcome, prepared, task: written, hide })
}

/** What an engine is told of an attempt. */
export function engineRunOf(
  context: ComputeContext,
  execution: ComputeExecution,
  attempt: number,
  { task, engine, work }: Pick<StagedTask, 'task' | 'engine' | 'work'>,
): EngineRun {
  const { id, job, partition } = execution
  return {
    executionId: id,
    attempt,
    job: { id: job.id, namespace: job.namespace, type: job.type },
    task,
    work,
    limits: limitsOf(context, execution, task, engine),
    // What is not in shares, as on each node of an ops job, is the only one.
    environment: {
      BACALHAU_PARTITION_INDEX: String(partition ?? 0),
      BACALHAU_PARTITION_COUNT: String(job.count ?? 1),
    },
  }
}

/** What an engine hears while it makes a run ready, and afterwards. */
export function prepareOptions(run: ActiveRun, tell: (text: string) => void): PrepareOptions {
  return { signal: run.signal, isLeft: () => run.isLeft, tell }
}

/** A run that is over, or left to go on. */
export interface PreparedOutcome {
  readonly outcome: EngineOutcome
  readonly prepared: PreparedRun
  readonly task: Task
  readonly hide: Hide
}

/** Records how a prepared run ended, and has its engine forget it; one that is left to go on stays as it is. */
export async function concludePrepared(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
  { outcome, prepared, task, hide }: PreparedOutcome,
): Promise<void> {
  const gather = prepared.gather?.bind(prepared)
  let isLeft: boolean
  try {
    isLeft = await conclude(context, execution, run, outcome, { task, hide, ...(gather && { gather }) })
  } catch (error) {
    // The next start gathers what it left.
    if (!run.isLeft || prepared.settled === undefined) throw error
    return
  }
  if (isLeft) return
  // What cannot be removed now is found by its engine later.
  await prepared.settled?.().catch((error: unknown) => {
    context.log.warn(
      { err: error, executionId: execution.id },
      'what is left of a run could not be removed yet',
    )
  })
}

/** Tells why what a run needs could not be had: once for all, not on this node, or not this time. */
function reasonOf(error: unknown): EndReason {
  return isTaskError(error) ? (REASONS[error.code] ?? 'start-failed') : 'start-failed'
}

const REASONS: Readonly<Partial<Record<TaskErrorCode, EndReason>>> = {
  INPUT_INVALID: 'unusable-input',
  INPUT_MISSING: 'unusable-input',
  INPUT_DENIED: 'denied',
  INPUT_TOO_LARGE: 'denied',
  IMAGE_MISSING: 'unusable-input',
  IMAGE_DENIED: 'denied',
}

/** Records how a run ended, from what its keeper wrote down. */
export async function concludeRun(context: ComputeContext, execution: ComputeExecution): Promise<void> {
  const outcome = endedRun(context.dataDir, execution)
  const task = taskOf(execution.job)
  if (outcome === undefined || task === null) {
    throw new Error('what its run left cannot be read any more')
  }
  const noted = await changeExecution(context, execution, ({ state }) =>
    state === 'Running'
      ? {
          message: 'Its run had come to its own end before the node ended',
          topic: 'Recovery',
          details: { action: 'conclude', reason: 'ended' },
        }
      : null,
  )
  const hide = hideOf(task, context.settings.variables)
  await conclude(context, noted ?? execution, new ActiveRun(), outcome, { task, hide })
}

function limitsOf(
  { settings }: ComputeContext,
  { job }: ComputeExecution,
  task: Task,
  engine: Engine,
): RunLimits {
  const { cpu, memoryBytes, diskBytes } = requestedCapacity(task.Resources)
  // A service is meant to go on; only an operator's limit ends it.
  const limits = [
    isLongRunning(job.type) ? 0 : executionTimeoutMs(task),
    settings.timeLimitsMs[engine.type] ?? 0,
  ]
  const shortest = Math.min(...limits.filter((limit) => limit > 0))
  return {
    timeMs: Number.isFinite(shortest) ? shortest : null,
    memoryBytes: memoryBytes > 0 ? memoryBytes : null,
    cpus: cpu > 0 ? cpu : null,
    outputBytes: diskBytes > 0 ? Math.min(diskBytes, settings.outputBytes) : settings.outputBytes,
    logBytes: settings.logBytes,
  }
}

async function commitRunning(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
  prepared: PreparedRun,
  attempt: number,
): Promise<ComputeExecution | null> {
  if (run.why !== undefined) return null
  const process =
    prepared.process === null
      ? null
      : { pid: prepared.process.pid, startTime: prepared.process.startTime, bootId: prepared.process.bootId }
  try {
    return await changeExecution(context, execution, (current) =>
      current.state === execution.state && current.attempt === execution.attempt
        ? {
            to: 'Running',
            message: runningText(attempt, prepared.note),
            topic: TOPIC,
            patch: { attempt, process },
          }
        : null,
    )
  } catch (error) {
    // Nobody knows of this process, so it must not begin.
    await prepared.abandon()
    throw error
  }
}

function runningText(attempt: number, note = ''): string {
  const text = attempt === 1 ? 'Running' : `Running again, attempt ${attempt}`
  return note === '' ? text : `${text}; ${note}`
}

interface ConcludedTask {
  readonly task: Task
  readonly hide: Hide
  readonly gather?: () => Promise<readonly SkippedResult[]>
}

/** Records an end; answers with whether the run is left to the next start instead. */
async function conclude(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
  ended: EngineOutcome,
  { task, hide, gather }: ConcludedTask,
): Promise<boolean> {
  const { id: executionId, job } = execution
  const outcome = withHidden(ended, hide)
  const runOutput = runOutputOf(context.dataDir, execution, outcome, hide)
  const keeperLost = outcome.reason === 'keeper-lost'
  if (run.why !== undefined && (keeperLost || outcome.reason === 'cancelled')) {
    // The next start finds the record as it is, and treats it by its policy.
    if (run.why === 'interrupted') return true
    const change: ExecutionChange = { ...run.why, patch: { ...run.why.patch, runOutput } }
    await clearWork(context, executionId)
    await changeExecution(context, execution, ({ finishedAtMs }) => (finishedAtMs === null ? change : null))
  } else if (outcome.errorMessage !== null || isFailureCode(job, outcome.exitCode)) {
    const ending = outcome.errorMessage ?? `the program ended with exit code ${outcome.exitCode}`
    const message = endText(job, ending, runOutput)
    const topic = outcome.reason === 'timeout' ? 'Exec Timeout' : TOPIC
    const endReason = endReasonOf(outcome)
    await clearWork(context, executionId)
    await changeExecution(context, execution, ({ state }) =>
      state === 'Running' ? { to: 'Failed', endReason, message, topic, patch: { runOutput } } : null,
    )
  } else {
    const finished = { task, exitCode: outcome.exitCode, runOutput }
    await publishRun(context, execution, { ...finished, ...(gather && { gather }) })
  }
  return false
}

/** A job may print what it was given; its log is its own, what the store keeps of that is not. */
function withHidden(outcome: EngineOutcome, hide: Hide): EngineOutcome {
  const { errorMessage, stdout, stderr } = outcome
  return {
    ...outcome,
    errorMessage: errorMessage === null ? null : hide(errorMessage),
    stdout: hide(stdout),
    stderr: hide(stderr),
  }
}

/** Ends an execution whose job has not begun; one that is being stopped is left to whoever stops it. */
export async function endEarly(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
  message: string,
  topic: string,
  endReason: EndReason = 'start-failed',
): Promise<void> {
  if (run.why !== undefined) return
  await clearWork(context, execution.id)
  await changeExecution(context, execution, ({ finishedAtMs }) =>
    finishedAtMs === null ? { to: 'Failed', endReason, message, topic } : null,
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
