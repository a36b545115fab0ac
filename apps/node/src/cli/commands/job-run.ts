import { setTimeout as delay } from 'node:timers/promises'
import { paint, printable, shortId } from '@saltcod/display'
import type { ApiClient } from '../../client/api-client.ts'
import { EXIT } from '../../exit-code.ts'
import { Failure, isFailure } from '../../failure.ts'
import type { WireHistory, WireJob } from '../../wire/models.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { readSpec } from '../spec-file.ts'
import type { Terminal } from '../terminal.ts'
import { rfcText } from '../words.ts'

/** Options of `job run`. */
export interface JobRunOptions extends NodeFlags {
  readonly wait: boolean | string
  readonly waitTimeoutSecs: number
  readonly idOnly?: boolean
  readonly follow?: boolean
  readonly idempotencyKey?: string
  readonly hideWarnings?: boolean
}

const ENDED = new Set(['Completed', 'Failed', 'Stopped'])
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 500

/** Submits a job and, unless told otherwise, waits until it has ended (or, if it should run for ever, until it runs). */
export async function jobRun(
  terminal: Terminal,
  path: string | undefined,
  options: JobRunOptions,
): Promise<void> {
  const { wait, spec } = untangle(path, options.wait)
  if (spec === undefined && terminal.inputIsTerminal) {
    throw new Failure(EXIT.usage, 'no job was given', {
      hint: 'name a YAML or JSON file, see: saltcod job run --help',
    })
  }
  const client = clientFor(terminal, options)
  const job = await readSpec(terminal, spec ?? '-')
  const { JobID, Warnings } = await client.submitJob(job, options.idempotencyKey)
  if (options.hideWarnings !== true) {
    for (const warning of Warnings ?? []) terminal.err(`Warning: ${warning}\n`)
  }
  const quiet = options.idOnly === true
  terminal.out(quiet ? `${JobID}\n` : `Job successfully submitted. Job ID: ${JobID}\n`)
  if (!wait) return
  const untilMs = Date.now() + options.waitTimeoutSecs * 1000
  if (options.follow === true) await follow(terminal, client, JobID, untilMs)
  const ended = await waitForEnd(client, JobID, untilMs, (entry) => {
    if (!quiet && options.follow !== true) printEvent(terminal, entry)
  })
  report(terminal, ended, quiet)
  if (!quiet) await tellExitCodes(terminal, client, ended)
}

/** In `--wait FILE` the file is the specification, not the value of the option. */
function untangle(
  path: string | undefined,
  wait: boolean | string,
): { readonly wait: boolean; readonly spec: string | undefined } {
  if (typeof wait === 'boolean') return { wait, spec: path }
  if (wait === 'true' || wait === 'false') return { wait: wait === 'true', spec: path }
  if (path === undefined) return { wait: true, spec: wait }
  throw new Failure(EXIT.usage, `--wait is ${JSON.stringify(wait)}, it must be true or false`)
}

function report(terminal: Terminal, job: WireJob, quiet: boolean): void {
  const { StateType, Message } = job.State
  if (StateType === 'Failed' || StateType === 'Stopped') {
    throw new Failure(
      EXIT.failed,
      `job ${job.ID} is ${StateType}${Message === '' ? '' : `: ${printable(Message)}`}`,
      {
        hint: `see what happened with: saltcod job describe ${shortId(job.ID, false)}`,
      },
    )
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
  id: string,
  untilMs: number,
  onEvent: (entry: WireHistory) => void,
): Promise<WireJob> {
  let token: string | undefined
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    const page = await client.listHistory(id, { limit: 100, next_token: token })
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
    for await (const { stream, line } of client.readLog(id, { follow: true, tail: false })) {
      if (stream === 'stdout') terminal.out(line)
      else terminal.err(line)
    }
  } catch (error) {
    // A job that failed before anything ran has no log; how it ended is told by its state.
    if (!isFailure(error) || error.exitCode !== EXIT.failed) throw error
  }
}

function printEvent(terminal: Terminal, { Time, ExecutionID = '', Event }: WireHistory): void {
  const cells = [
    rfcText(Time).slice(11),
    shortId(ExecutionID, false).padEnd(10),
    Event.Topic.padEnd(18),
    printable(Event.Message),
  ]
  terminal.out(`  ${cells.join('  ')}\n`)
}
