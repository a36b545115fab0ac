import type { WireExecution, WireHistory, WireJob } from '@saltcod/bacalhau-records'
import { Failure, isFailure, paint, printable, printList, shortId, type Terminal } from '@saltcod/cli-kit'
import type { ApiClient } from '../client/api-client.ts'
import { EXIT } from '../exit-code.ts'
import { ENDS_DETAIL, HEALTHY_DETAIL } from '../wire/health-details.ts'
import { LEFT_OUT_DETAIL } from '../wire/left-out-detail.ts'
import { executionColumns } from './commands/job-executions.ts'
import { followLog } from './job-log.ts'
import { JobProgress } from './job-progress.ts'
import { getCommand, keptResults, resultsText } from './kept-results.ts'
import { type NodeWait, type NodeWaitOptions, waitedJob, waiting } from './node-wait.ts'
import { stateText } from './words.ts'

/** How a job is waited for. */
export interface WaitOptions extends NodeWaitOptions {
  readonly waitTimeoutSecs: number
  /** Print nothing of its progress. */
  readonly idOnly?: boolean
  /** Print what it writes instead of its progress. */
  readonly follow?: boolean
  /** List its executions at the end. */
  readonly nodeDetails?: boolean
  /** Tell what happened execution by execution when it is over. */
  readonly groupEvents?: boolean
  /** What the exit code of the command says of a program that ended with another code than 0. Default `job`. */
  readonly exitCode?: 'job' | 'program'
}

/** The version of a job that is waited for. */
export interface AwaitedJob {
  readonly id: string
  /** Absent: the newest. */
  readonly version?: number
}

const ENDED = new Set(['Completed', 'Failed', 'Stopped'])
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 500
const MOST_NAMED = 5
/** What should run for ever and has ended so often without having been healthy does not come up. */
const MOST_ENDS = 3

/**
 * Waits until a job has ended (or, if it should run for ever, until it is healthy), and prints how it goes, also over
 * a restart of its node. Throws a `Failure` where it failed, was stopped, is not over in time, or one of its programs
 * ended with another code than 0.
 */
export async function waitForJob(
  terminal: Terminal,
  client: ApiClient,
  awaited: AwaitedJob,
  options: WaitOptions,
): Promise<void> {
  await waiting(terminal, waitedJob(awaited.id), options, (wait) =>
    waitAndReport(terminal, client, awaited, options, wait),
  )
}

async function waitAndReport(
  terminal: Terminal,
  client: ApiClient,
  awaited: AwaitedJob,
  options: WaitOptions,
  wait: NodeWait,
): Promise<void> {
  const quiet = options.idOnly === true
  const untilMs = Date.now() + options.waitTimeoutSecs * 1000
  if (options.follow === true) await follow(terminal, client, awaited.id, untilMs, wait)
  const form = quiet || options.follow === true ? 'none' : options.groupEvents === true ? 'grouped' : 'live'
  const progress = new JobProgress(terminal, form)
  const onEvent = (entry: WireHistory): void => {
    progress.add(entry)
    // Who sees no events sees no other word of it.
    if (options.follow === true && !quiet) warnOfLeftOut(terminal, entry)
  }
  const ended = await waitForEnd(client, awaited, untilMs, wait, onEvent).finally(() => progress.end())
  const executions = await executionsOf(client, ended, wait)
  if (!quiet && options.nodeDetails === true)
    printList(terminal, 'table', executions, executionColumns(false))
  const ends = endsOf(ended, executions)
  // What should run for ever and does so now may have needed more than one start.
  const odd = ENDED.has(ended.State.StateType) ? ends.filter((end) => end.exitCode > 0) : []
  const command = ends.some((end) => end.wrote) || !ENDED.has(ended.State.StateType) ? 'logs' : 'describe'
  const [code, ...others] = new Set(odd.map((end) => end.exitCode))
  const isOne = code !== undefined && others.length === 0
  const exitCode = options.exitCode === 'program' && isOne ? code : EXIT.failed
  report(terminal, ended, quiet, exitCode)
  const shown = `saltcod job ${command} ${shortId(awaited.id, false)}`
  if (!quiet && command === 'logs') terminal.out(`To see its output, run:  ${shown}\n`)
  if (!quiet) tellResults(terminal, ended, executions)
  if (odd.length === 0) return
  const lines = odd
    .slice(0, MOST_NAMED)
    .map((end) => `execution ${shortId(end.id, false)} ended with exit code ${end.exitCode}`)
  if (odd.length > MOST_NAMED) lines.push(`and ${odd.length - MOST_NAMED} more`)
  throw new Failure(exitCode, lines, {
    hint: `see what ${command === 'logs' ? 'it wrote' : 'happened'} with: ${shown}`,
  })
}

function report(terminal: Terminal, job: WireJob, quiet: boolean, exitCode: number): void {
  const { StateType, Message } = job.State
  if (StateType === 'Failed' || StateType === 'Stopped') {
    throw new Failure(exitCode, `job ${job.ID} is ${StateType}${Message === '' ? '' : `: ${Message}`}`, {
      hint: `see what happened with: saltcod job describe ${shortId(job.ID, false)}`,
    })
  }
  if (quiet) return
  const style = StateType === 'Completed' ? 'green' : 'yellow'
  terminal.out(`Job is ${paint(terminal, style, StateType)}.\n`)
}

/** How the program of an execution ended. */
interface ProgramEnd {
  readonly id: string
  readonly exitCode: number
  /** It wrote something that its log has. */
  readonly wrote: boolean
}

/**
 * A program that ended with another code than 0 has completed its execution all the same, where the job does not say
 * otherwise; an execution that failed by it counts only where the job did not do better with another one.
 */
function endsOf({ State }: WireJob, executions: readonly WireExecution[]): readonly ProgramEnd[] {
  const states = new Set(
    ['Failed', 'Stopped'].includes(State.StateType) ? ['Completed', 'Failed'] : ['Completed'],
  )
  return executions.filter((execution) => states.has(stateText(execution))).map(endOf)
}

/** Returns the executions of a version of a job. */
async function executionsOf(
  client: ApiClient,
  job: WireJob,
  wait: NodeWait,
): Promise<readonly WireExecution[]> {
  const found: WireExecution[] = []
  let token: string | undefined
  do {
    const query = { limit: 1000, next_token: token }
    const { Items, NextToken } = await wait.call(() => client.listExecutions(job.ID, query))
    found.push(...Items.filter(({ JobVersion }) => JobVersion === job.Version))
    token = NextToken === '' ? undefined : NextToken
  } while (token !== undefined)
  return found
}

function tellResults(
  terminal: Terminal,
  { ID, Version }: WireJob,
  executions: readonly WireExecution[],
): void {
  const results = keptResults(executions, Version)
  if (results.length === 0) return
  const { amount, nodes } = resultsText(results)
  const where = /^\d+ nodes/.test(nodes) ? nodes : `node ${nodes}`
  terminal.out(`Its results are on ${where} (${amount}). To get them, run:  ${getCommand(ID)}\n`)
}

/** Says what is missing of the results of an execution. */
function warnOfLeftOut(terminal: Terminal, { ExecutionID = '', Event }: WireHistory): void {
  const left = Event.Details?.[LEFT_OUT_DETAIL]
  if (left === undefined) return
  const execution = shortId(ExecutionID, false)
  terminal.err(`Warning: left out of the results of execution ${execution}: ${printable(left)}\n`)
}

function endOf({ ID, RunOutput }: WireExecution): ProgramEnd {
  const { ExitCode = 0, Stdout = '', stderr = '' } = RunOutput ?? {}
  return { id: ID, exitCode: ExitCode, wrote: Stdout !== '' || stderr !== '' }
}

/** Follows the history until the job is where it should be. Throws where that takes too long. */
async function waitForEnd(
  client: ApiClient,
  { id, version: wanted }: AwaitedJob,
  untilMs: number,
  wait: NodeWait,
  onEvent: (entry: WireHistory) => void,
): Promise<WireJob> {
  const version = wanted ?? (await wait.call(() => client.getJob(id))).Job.Version
  let token: string | undefined
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    const query = { limit: 100, next_token: token, job_version: version }
    const page = await wait.call(() => client.listHistory(id, query))
    for (const entry of page.Items) onEvent(entry)
    const { Job } = await wait.call(() => client.getJob(id))
    if (page.NextToken === '' || page.Items.some(saysHealthy)) return Job
    if (page.Items.some(saysDown)) throw neverUp(Job)
    token = page.NextToken
    if (page.Items.length > 0) {
      pauseMs = FIRST_PAUSE_MS
      continue
    }
    if (Date.now() > untilMs) {
      throw new Failure(EXIT.failed, stillWaiting(Job), {
        hint: `look at it later with: saltcod job describe ${shortId(id, false)}`,
      })
    }
    await wait.pause(pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

/** Of a job that should run for ever, the node says when it does. */
function saysHealthy({ Event }: WireHistory): boolean {
  return Event.Details?.[HEALTHY_DETAIL] === 'true'
}

function saysDown({ Event }: WireHistory): boolean {
  return Number(Event.Details?.[ENDS_DETAIL] ?? 0) >= MOST_ENDS
}

function neverUp({ ID, State }: WireJob): Failure {
  const short = shortId(ID, false)
  return new Failure(EXIT.failed, `job ${ID} does not come up: ${State.Message}`, {
    hint: `the node goes on trying; see what it wrote with: saltcod job logs ${short}; stop it with: saltcod job stop ${short}`,
  })
}

function stillWaiting({ ID, State: { StateType, Message } }: WireJob): string {
  const why = Message === '' || Message === StateType ? '' : `: ${Message}`
  return `job ${ID} is still ${StateType}, it goes on without being waited for${why}`
}

async function follow(
  terminal: Terminal,
  client: ApiClient,
  id: string,
  untilMs: number,
  wait: NodeWait,
): Promise<void> {
  for (;;) {
    const { Job } = await wait.call(() => client.getJob(id))
    const state = Job.State.StateType
    if (state === 'Running' || ENDED.has(state)) break
    if (Date.now() > untilMs) return
    await wait.pause(LONGEST_PAUSE_MS / 2)
  }
  try {
    await followLog(terminal, client, id, { tail: false }, wait)
  } catch (error) {
    // A job that failed before anything ran has no log; how it ended is told by its state.
    if (!isFailure(error) || error.exitCode !== EXIT.failed) throw error
  }
}
