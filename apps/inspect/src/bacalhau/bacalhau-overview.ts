import { statSync } from 'node:fs'
import { countOf, shellWord } from '@saltcod/cli-kit'
import { COMPUTE_MACHINE, JOB_MACHINE } from '@saltcod/store-core'
import type { Overview } from '../explain/overview.ts'
import type { RecentFailure } from '../explain/recent-failures.ts'
import type { Trouble } from '../explain/trouble.ts'
import type { BacalhauFile } from './bacalhau-files.ts'
import type { BacalhauExecutionReader } from './compute-reader.ts'
import { HeadCounts } from './head-counts.ts'
import type { JobFile } from './job-file.ts'

/** What is known of a file besides its records. */
export interface FileFacts {
  readonly file: BacalhauFile
  /** What was given: the file, or the repository that it is in. */
  readonly argument: string
  readonly nodeId: string | null
  /** The process that has it open; `null` where none has. */
  readonly processId: number | null
  /** Whether a later release wrote another file in its place, and reads that one alone. */
  readonly isLeft: boolean
}

const LATELY_MS = 24 * 3_600_000
const MAX_FAILURES = 3

/** Finds out what an operator wants to know of a file of a requester, in one walk through it. */
export async function jobsOverview(jobs: JobFile, facts: FileFacts, nowMs: number): Promise<Overview> {
  const counts = new HeadCounts()
  const failures = new LastFailures(nowMs)
  let unfinished = 0
  for await (const step of jobs.walk({ executions: true, evaluations: true })) {
    counts.addStep(step)
    const { job } = step
    if (job === null || job === undefined) continue
    if (job.state === 'Failed')
      failures.add({ id: job.id, name: job.name, atMs: job.modifiedAtMs, message: job.stateMessage })
    if (!JOB_MACHINE.terminal.has(job.state)) unfinished += 1
  }
  const untold = [
    'what is to be decided next (evaluations stay pending in it for ever)',
    'the changes one after the other',
    'what is under way to compute nodes',
    'when deadlines pass',
  ]
  return {
    ...overviewOf(facts, 'jobs', counts, failures, nowMs),
    trouble: troubleOf(facts, 'job', unfinished),
    untold,
  }
}

/** Does the same of a file of a compute node. */
export async function executionsOverview(
  executions: BacalhauExecutionReader,
  facts: FileFacts,
  nowMs: number,
): Promise<Overview> {
  const counts = new HeadCounts()
  const failures = new LastFailures(nowMs)
  let unfinished = 0
  for await (const head of executions.walk()) {
    counts.add('execution', head.state, head)
    const { id, jobName: name, modifiedAtMs: atMs, stateMessage: message } = head
    if (head.state === 'Failed') failures.add({ id, name, atMs, message })
    if (!COMPUTE_MACHINE.terminal.has(head.state)) unfinished += 1
  }
  const untold = [
    'the changes one after the other',
    'what is under way to the requester',
    'when deadlines pass',
  ]
  const trouble = troubleOf(facts, 'execution', unfinished)
  return { ...overviewOf(facts, 'executions', counts, failures, nowMs), trouble, untold }
}

function overviewOf(
  { file, nodeId, processId }: FileFacts,
  kind: Overview['kind'],
  counts: HeadCounts,
  failures: LastFailures,
  nowMs: number,
): Omit<Overview, 'trouble' | 'untold'> {
  return {
    path: file.path,
    kind,
    nodeId,
    writtenBy: `Bacalhau ${file.layout.releases}`,
    owner: processId === null ? { running: false, lastEnd: 'none' } : { running: true, processId },
    counts: counts.counts,
    ages: counts.agesOf(kind),
    failures: failures.newest,
    lastChanges: [],
    sizes: { fileBytes: statSync(file.path).size, usedBytes: null, freeBytes: null },
    nextDeadlineMs: null,
    nowMs,
  }
}

function troubleOf({ argument, processId, isLeft }: FileFacts, noun: string, unfinished: number): Trouble[] {
  if (unfinished === 0 || (processId !== null && !isLeft)) return []
  const unfinishedText = `${countOf(unfinished, noun)} in progress`
  const shared = { id: '', forMs: null } as const
  if (isLeft) {
    const message = `${unfinishedText} in a file that Bacalhau has left: since its upgrade it reads another one`
    return [
      {
        ...shared,
        kind: 'left-behind',
        message,
        advice: `saltcod-inspect import ${shellWord(argument)} --to REPOSITORY brings them over`,
      },
    ]
  }
  return [
    {
      ...shared,
      kind: 'node-not-running',
      message: `no Bacalhau has the file open; ${unfinishedText}`,
      advice: `start Bacalhau, or bring its jobs over: saltcod-inspect import ${shellWord(argument)} --to REPOSITORY`,
    },
  ]
}

/** The newest failures of the last day, as a walk in any order meets them. */
class LastFailures {
  readonly #nowMs: number
  newest: readonly RecentFailure[] = []

  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }

  add(failure: RecentFailure): void {
    if (failure.atMs <= this.#nowMs - LATELY_MS) return
    this.newest = [...this.newest, failure].sort((a, b) => b.atMs - a.atMs).slice(0, MAX_FAILURES)
  }
}
