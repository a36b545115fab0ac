import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The files that real programs wrote, which lie beside the project where somebody keeps them; it carries none. */
export const BACALHAU_FILES: string = fileURLToPath(new URL('../../shared/fixtures/', import.meta.url))

/** Why the files cannot be read here; `null` where they can. */
export const BACALHAU_FILES_MISSING: string | null = existsSync(join(BACALHAU_FILES, 'bacalhau-1.9.3'))
  ? null
  : `there are no files of Bacalhau in ${BACALHAU_FILES}`

/** The folders with the answers of the nodes that wrote them. */
export const ANSWERED = ['1.2.0', '1.4.0', '1.9.3'] as const

/** A release whose files and answers there are. */
export type AnsweredRelease = (typeof ANSWERED)[number]

type Plain = Readonly<Record<string, unknown>>

/** What a node said of a job. */
export interface JobAnswer {
  readonly job: Plain
  readonly executions: readonly Plain[]
  readonly history: readonly Plain[]
}

/** Reads what a node said of its jobs seconds before it was killed. */
export function readAnswers(release: AnsweredRelease): ReadonlyMap<string, JobAnswer> {
  const path = join(BACALHAU_FILES, `bacalhau-${release}`, 'answers.json')
  const { jobs } = JSON.parse(readFileSync(path, 'utf8')) as { jobs: Record<string, JobAnswer> }
  return new Map(Object.entries(jobs))
}

/** States by their numbers: those up to v1.5.1, and those since. */
const STATES = {
  earlier: [
    '',
    'New',
    'AskForBid',
    'AskForBidAccepted',
    'AskForBidRejected',
    'BidAccepted',
    'BidRejected',
  ].concat(['Completed', 'Failed', 'Cancelled']),
  later: ['', 'New', 'AskForBid', 'AskForBidAccepted', 'AskForBidRejected', 'BidAccepted', 'Running'].concat([
    'Publishing',
    'BidRejected',
    'Completed',
    'Failed',
    'Cancelled',
  ]),
}

/** By which numbers an answer names the states of executions. */
export type AnsweredNumbers = keyof typeof STATES

// What is another in our answers, and why. Each is taken out of both sides, so that all else is compared.
// - What is empty may be written or left out: Go leaves out what is zero, and ours writes every field of a task.
// - Times are kept in milliseconds: Bacalhau wrote nanoseconds.
// - Versions count from 1: Bacalhau counted none before v1.8 and wrote 0.
// - What an event says in details is in the history alone; Bacalhau repeats it beside the states of an execution.
// - Jobs inside executions: Bacalhau stores a copy of the first moment there; ours are those of now.

/** Writes a job so that both sides are the same where they say the same; `own` is what ours says. */
export function comparableJob(job: Plain, own: Plain = job): unknown {
  return withoutEmpty({
    ...job,
    CreateTime: milliseconds(job['CreateTime'], own['CreateTime']),
    ModifyTime: milliseconds(job['ModifyTime'], own['ModifyTime']),
    Version: Math.max(1, Number(job['Version'])),
    Meta: withoutOwn(job['Meta'] as Plain),
  })
}

/** A node names itself where Bacalhau named nobody. */
function withoutOwn(meta: Plain): Plain {
  const { 'bacalhau.org/orchestrator.id': _, ...rest } = meta
  return rest
}

/** Writes an execution likewise. */
export function comparableExecution(
  execution: Plain,
  numbers: AnsweredNumbers,
  own: Plain = execution,
): unknown {
  const { Job: _, ComputeState, DesiredState, ...rest } = execution
  const { StateType, Message } = ComputeState as Plain
  return withoutEmpty({
    ...rest,
    DesiredState: { ...(DesiredState as Plain), Details: null },
    JobVersion: Math.max(1, Number(execution['JobVersion'] ?? 0)),
    ComputeState: { StateType: STATES[numbers][Number(StateType)], Message },
    CreateTime: milliseconds(execution['CreateTime'], own['CreateTime']),
    ModifyTime: milliseconds(execution['ModifyTime'], own['ModifyTime']),
  })
}

/**
 * Writes an entry of a history likewise. Besides: sequence numbers are those of the store, an entry has one time and
 * one text, where Bacalhau has two of each, and the state before a record was made is none.
 */
export function comparableEntry(entry: Plain, numbers: AnsweredNumbers): unknown {
  const event = (entry['Event'] ?? {}) as Plain
  const state = (of: unknown): unknown => {
    const value = ((of ?? {}) as Plain)['New']
    return typeof value === 'number' ? STATES[numbers][value] : value
  }
  return withoutEmpty({
    Type: entry['Type'],
    JobID: entry['JobID'],
    ExecutionID: entry['ExecutionID'],
    Message: event['Message'] || entry['Comment'],
    Topic: event['Topic'],
    Details: event['Details'],
    Time: Date.parse(String(entry['Time'])),
    JobState: state(entry['JobState']),
    ExecutionState: state(entry['ExecutionState']),
    NodeID: entry['NodeID'],
    NewRevision: entry['NewRevision'],
  })
}

/** Takes from one side what the other never says: Bacalhau names no states since v1.5. */
export function onlyKeysOf(value: unknown, pattern: unknown): unknown {
  const keys = new Set(Object.keys(pattern as object))
  return Object.fromEntries(Object.entries(value as object).filter(([key]) => keys.has(key)))
}

/**
 * The answers were rounded as they were written down, by up to 300 ns, which may carry one into the next millisecond;
 * ours are whole milliseconds, which no number of nanoseconds can hold exactly.
 */
function milliseconds(nanoseconds: unknown, own: unknown): number {
  const said = Number(nanoseconds)
  const oursMs = Math.round(Number(own) / 1_000_000)
  const behind = said % 1_000_000
  const isOnEdge = Math.min(behind, 1_000_000 - behind) <= 300 && Math.abs(said / 1_000_000 - oursMs) <= 1.001
  return said === own || isOnEdge ? oursMs : Math.floor(said / 1_000_000)
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value)
    .map(([key, inner]): [string, unknown] => [key, withoutEmpty(inner)])
    .filter(([, inner]) => !isEmpty(inner))
  return Object.fromEntries(kept)
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true
  return typeof value === 'object' && Object.keys(value as object).length === 0
}
