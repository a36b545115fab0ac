import { setTimeout as delay } from 'node:timers/promises'
import { paint, printable, shortId } from '@saltcod/display'
import type { ApiClient } from '../client/api-client.ts'
import type { ReceivedPart } from '../client/log-stream.ts'
import { EXIT } from '../exit-code.ts'
import { Failure, isFailure } from '../failure.ts'
import type { WireHistory, WireJob } from '../wire/models.ts'
import type { Terminal } from './terminal.ts'
import { indented, rfcText } from './words.ts'

/** How a job is waited for. */
export interface WaitOptions {
  readonly waitTimeoutSecs: number
  /** Print nothing of its progress. */
  readonly idOnly?: boolean
  /** Print what it writes instead of its progress. */
  readonly follow?: boolean
}

/** The version of a job that is waited for. */
export interface AwaitedJob {
  readonly id: string
  readonly version: number
}

const ENDED = new Set(['Completed', 'Failed', 'Stopped'])
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 500

/**
 * Waits until a job has ended (or, if it should run for ever, until it runs), and prints how it goes. Throws a `Failure` where it
 * failed, was stopped, or is not over in time.
 */
export async function waitForJob(
  terminal: Terminal,
  client: ApiClient,
  awaited: AwaitedJob,
  options: WaitOptions,
): Promise<void> {
  const quiet = options.idOnly === true
  const untilMs = Date.now() + options.waitTimeoutSecs * 1000
  if (options.follow === true) await follow(terminal, client, awaited.id, untilMs)
  const ended = await waitForEnd(client, awaited, untilMs, (entry) => {
    if (!quiet && options.follow !== true) printEvent(terminal, entry)
  })
  report(terminal, ended, quiet)
  if (!quiet) await tellExitCodes(terminal, client, ended)
}

/** Prints what a job wrote: its standard output to ours, its standard error to ours. Ends early where nobody reads it. */
export async function printLog(terminal: Terminal, parts: AsyncIterable<ReceivedPart>): Promise<void> {
  for await (const { stream, text } of parts) {
    if (stream === 'stderr') terminal.err(text)
    else if (!terminal.out(text)) return
  }
}

function report(terminal: Terminal, job: WireJob, quiet: boolean): void {
  const { StateType, Message } = job.State
  if (StateType === 'Failed' || StateType === 'Stopped') {
    throw new Failure(EXIT.failed, `job ${job.ID} is ${StateType}${Message === '' ? '' : `: ${Message}`}`, {
      hint: `see what happened with: saltcod job describe ${shortId(job.ID, false)}`,
    })
  }
  if (quiet) return
  const style = StateType === 'Completed' ? 'green' : 'yellow'
  terminal.out(`Job is ${paint(terminal, style, StateType)}.\n`)
  terminal.out(`To see its output, run:  saltcod job logs ${shortId(job.ID, false)}\n`)
}

/** A job whose program ended with another code than 0 has completed all the same, which may surprise. */
async function tellExitCodes(terminal: Terminal, client: ApiClient, job: WireJob): Promise<void> {
  if (job.State.StateType !== 'Completed') return
  const { Items } = await client.listExecutions(job.ID, { limit: 100 })
  for (const { ID, RunOutput } of Items) {
    if (RunOutput === null || RunOutput.ExitCode <= 0) continue
    terminal.err(`Note: execution ${shortId(ID, false)} ended with exit code ${RunOutput.ExitCode}\n`)
  }
}

/** Follows the history until the job is where it should be. Throws where that takes too long. */
async function waitForEnd(
  client: ApiClient,
  { id, version }: AwaitedJob,
  untilMs: number,
  onEvent: (entry: WireHistory) => void,
): Promise<WireJob> {
  let token: string | undefined
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    const page = await client.listHistory(id, { limit: 100, next_token: token, job_version: version })
    for (const entry of page.Items) onEvent(entry)
    const { Job } = await client.getJob(id)
    const forEver = Job.Type === 'service' || Job.Type === 'daemon'
    if (page.NextToken === '' || (forEver && Job.State.StateType === 'Running')) return Job
    token = page.NextToken
    if (page.Items.length > 0) {
      pauseMs = FIRST_PAUSE_MS
      continue
    }
    if (Date.now() > untilMs) {
      throw new Failure(
        EXIT.failed,
        `job ${id} is still ${Job.State.StateType}, it goes on without being waited for`,
        {
          hint: `look at it later with: saltcod job describe ${shortId(id, false)}`,
        },
      )
    }
    await delay(pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

async function follow(terminal: Terminal, client: ApiClient, id: string, untilMs: number): Promise<void> {
  for (;;) {
    const { Job } = await client.getJob(id)
    const state = Job.State.StateType
    if (state === 'Running' || ENDED.has(state)) break
    if (Date.now() > untilMs) return
    await delay(LONGEST_PAUSE_MS / 2)
  }
  try {
    await printLog(terminal, client.readLog(id, { follow: true, tail: false }))
  } catch (error) {
    // A job that failed before anything ran has no log; how it ended is told by its state.
    if (!isFailure(error) || error.exitCode !== EXIT.failed) throw error
  }
}

function printEvent(terminal: Terminal, { Time, ExecutionID = '', Event }: WireHistory): void {
  const cells = [rfcText(Time).slice(11), shortId(ExecutionID, false).padEnd(10), Event.Topic.padEnd(18)]
  const before = `  ${cells.map(printable).join('  ')}  `
  terminal.out(`${before}${indented(Event.Message, before.length)}\n`)
}
