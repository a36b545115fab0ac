import {
  executionStateName,
  type WireExecution,
  type WireGetJobAnswer,
  type WireHistory,
} from '@saltcod/bacalhau-records'
import type { PartKind } from './node-parts.ts'
import type { ToldLives } from './told-lives.ts'
import type { VariedJob } from './varied-jobs.ts'

/** A kill that a test carried out. */
export interface Kill {
  readonly what: PartKind | 'all'
  readonly fromMs: number
  readonly toMs: number
  /** The executions whose processes were hit; none where that is not known. */
  readonly executions: readonly string[]
}

/** Kills after which what was running counts as interrupted. */
const INTERRUPTING: ReadonlySet<Kill['what']> = new Set<Kill['what']>(['node', 'keeper', 'launcher', 'all'])
/** As whoever stops a job finds a run of it: begun, or not. */
export const STOPPED: ReadonlySet<string> = new Set(['Cancelled', 'BidRejected'])
const MAX_FAILURES = { batch: 2, ops: 1 } as const
/** A commit comes a moment after what it is about, and a node hears of the death of a keeper a moment after that. */
const SLACK_MS = 2_000
const NANOSECONDS = 1_000_000

/** Judges what a node says of a job by what was done to it, and by what its runs wrote themselves. */
export class RunVerdict {
  readonly #kills: readonly Kill[]
  readonly #told: ToldLives

  constructor(kills: readonly Kill[], told: ToldLives) {
    this.#kills = kills
    this.#told = told
  }

  /** What is wrong; empty where every run ended once, with its true reason. */
  problems({ Job, Executions, History }: WireGetJobAnswer, job: VariedJob): string[] {
    const executions = Executions?.Items ?? []
    const found = executions.flatMap((execution) =>
      [
        ...this.#ofEnd(execution, job),
        ...this.#ofLives(execution, job),
        ...ofHistory(execution, History?.Items ?? []),
      ].map((problem) => `${job.name} (${job.kind}) ${execution.ID}: ${problem}`),
    )
    const states = expectedStates(executions, job)
    if (!states.includes(Job.State.StateType)) {
      const expected = states.join(' or ')
      found.push(`${job.name} (${job.kind}) is ${Job.State.StateType}, not ${expected}: ${Job.State.Message}`)
    }
    for (const id of this.#told.executionsOf(job.name)) {
      if (!executions.some(({ ID }) => ID === id)) found.push(`${job.name}: ${id} ran, and is on no record`)
    }
    return found
  }

  #ofEnd(execution: WireExecution, { own, endless }: VariedJob): string[] {
    const { ComputeState, RunOutput } = execution
    const reason = execution.EndReason ?? null
    const state = executionStateName(ComputeState.StateType)
    const said = `${state} ${reason ?? ''} "${ComputeState.Message}" ${JSON.stringify(RunOutput)}`
    if (
      state === 'Completed' ||
      (state === 'Failed' && reason === own.reason && this.#isOwn(execution, own.reason))
    ) {
      if (reason !== own.reason) return [`ended as it never does: ${said}`]
      const code = reason === 'killed' || reason === 'timed-out' ? own.exitCode : RunOutput?.ExitCode
      if (code !== own.exitCode) return [`ended with another exit code than ${own.exitCode}: ${said}`]
      if (own.output !== undefined && RunOutput?.Stdout !== own.output)
        return [`wrote something else: ${said}`]
      return []
    }
    if (STOPPED.has(state)) return endless && reason === 'stopped' ? [] : [`was stopped: ${said}`]
    if (state !== 'Failed') return [`has not ended: ${said}`]
    if (reason === 'interrupted' || reason === 'record-lost') {
      return this.#isHit(execution, (kill) => INTERRUPTING.has(kill.what))
        ? []
        : [`nothing interrupted it: ${said}`]
    }
    if (reason === 'killed') return this.#isKilled(execution) ? [] : [`nobody killed it: ${said}`]
    return [`ended for a reason that it had not: ${said}`]
  }

  /** A run that kills itself ends as one does that was killed; only what it wrote tells the two apart. */
  #isOwn({ ID }: WireExecution, reason: string | null): boolean {
    return reason !== 'killed' || this.#told.of(ID).some(({ ends }) => ends.length > 0)
  }

  #isKilled(execution: WireExecution): boolean {
    return this.#isHit(
      execution,
      ({ executions, what }) =>
        what !== 'node' &&
        what !== 'keeper' &&
        what !== 'launcher' &&
        (executions.length === 0 || executions.includes(execution.ID)),
    )
  }

  #isHit({ CreateTime, ModifyTime }: WireExecution, fits: (kill: Kill) => boolean): boolean {
    return this.#kills.some(
      (kill) =>
        kill.toMs >= CreateTime / NANOSECONDS - SLACK_MS &&
        kill.fromMs <= ModifyTime / NANOSECONDS + SLACK_MS &&
        fits(kill),
    )
  }

  #ofLives({ ID, ComputeState, EndReason }: WireExecution, { own, native }: VariedJob): string[] {
    if (!native) return []
    const lives = this.#told.of(ID)
    const found: string[] = []
    for (const { attempt, begins, ends } of lives) {
      if (begins !== 1 || ends.length > 1)
        found.push(`attempt ${attempt} began ${begins} times and ended ${ends.length} times`)
      if (ends.some((code) => code !== own.exitCode))
        found.push(`attempt ${attempt} ended with ${ends.join()}`)
    }
    const attempts = lives.map(({ attempt }) => attempt)
    if (attempts.some((attempt, index) => index > 0 && attempt <= (attempts[index - 1] ?? 0))) {
      found.push(`its attempts began in the order ${attempts.join()}`)
    }
    const ended = lives.at(-1)?.ends.length ?? 0
    const saysSo = executionStateName(ComputeState.StateType) === 'Completed' || EndReason === 'exit-code'
    if (saysSo && ended === 0) found.push('is said to have come to its end, and did not')
    if (EndReason === 'timed-out' && ended > 0) found.push('is said to have timed out, and came to its end')
    return found
  }
}

function expectedStates(executions: readonly WireExecution[], { type, endless }: VariedJob): string[] {
  if (executions.some(({ ComputeState }) => executionStateName(ComputeState.StateType) === 'Completed'))
    return ['Completed']
  const failures = executions.filter(
    ({ ComputeState, EndReason = '' }) =>
      executionStateName(ComputeState.StateType) === 'Failed' &&
      !['interrupted', 'record-lost'].includes(EndReason),
  )
  // Whoever stops a job may come between its last failure and what follows from that.
  if (failures.length >= MAX_FAILURES[type]) return endless ? ['Failed', 'Stopped'] : ['Failed']
  return [endless ? 'Stopped' : 'Completed']
}

/** An execution ends once, and its history tells why. */
function ofHistory(
  { ID, ComputeState, EndReason }: WireExecution,
  history: readonly WireHistory[],
): string[] {
  const told = history.filter(({ ExecutionID }) => ExecutionID === ID)
  const ends = told.filter(({ ExecutionState }) =>
    ['Completed', 'Failed', ...STOPPED].includes(executionStateName(ExecutionState?.New ?? 0)),
  )
  const found = ends.length === 1 ? [] : [`its history has ${ends.length} ends: ${JSON.stringify(told)}`]
  const failed = executionStateName(ComputeState.StateType) === 'Failed'
  if (failed && !told.some(({ Event }) => Event.Details?.['reason'] === EndReason)) {
    found.push(`its history does not tell why it failed: ${JSON.stringify(told)}`)
  }
  return found
}
