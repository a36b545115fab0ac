import { Failure, isFailure, printable, type Terminal } from '@saltcod/cli-kit'
import { wasLost } from '../../client/unreachable.ts'
import { EXIT } from '../../exit-code.ts'
import type { JobObject } from '../../job-file/job-of.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { showJob } from '../job-preview.ts'
import { type WaitOptions, waitForJob } from '../job-wait.ts'
import { readSpec, type TemplateOptions } from '../spec-file.ts'

/** How a job is submitted, and what is done then. */
export interface SubmitFlags extends NodeFlags, WaitOptions {
  readonly dryRun?: boolean
  readonly wait: boolean
  readonly force?: boolean
  readonly idempotencyKey?: string
  readonly hideWarnings?: boolean
}

/** Options of `job run`. */
export interface JobRunOptions extends Omit<SubmitFlags, 'wait'>, TemplateOptions {
  readonly wait: boolean | string
}

/** Reads a job file, and does with it what {@link submitJob} does. */
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
  await submitJob(terminal, await readSpec(terminal, spec ?? '-', options), { ...options, wait })
}

/**
 * Submits a job, or shows it, and unless told otherwise waits until it has ended (or, if it should run for ever, until
 * it runs).
 */
export async function submitJob(terminal: Terminal, job: JobObject, options: SubmitFlags): Promise<void> {
  if (options.dryRun === true) return showJob(terminal, job, options)
  const client = clientFor(terminal, options)
  const { idempotencyKey: idempotencyToken, force, hideWarnings, idOnly } = options
  const { JobID, Warnings } = await client
    .submitJob(job, { idempotencyToken, force })
    .catch((error: unknown) => {
      throw takenOrNot(error)
    })
  if (hideWarnings !== true) {
    for (const warning of Warnings ?? []) terminal.err(`Warning: ${printable(warning)}\n`)
  }
  terminal.out(idOnly === true ? `${JobID}\n` : `Job successfully submitted. Job ID: ${JobID}\n`)
  if (!options.wait) return
  await waitForJob(terminal, client, { id: JobID }, options)
}

/** A node that was lost before it answered may have taken the job. */
function takenOrNot(error: unknown): unknown {
  if (!isFailure(error) || !wasLost(error)) return error
  return new Failure(error.exitCode, [...error.lines, 'it may have taken the job or not'], {
    hint: 'look with: saltcod job list; with --idempotency-key the same can be submitted again in any case',
    cause: error.cause,
  })
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
