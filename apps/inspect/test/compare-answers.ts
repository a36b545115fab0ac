import {
  executionToWire,
  historyToWire,
  type JobSpec,
  jobToWire,
  NEWEST_CLIENT,
  onlyTask,
} from '@saltcod/bacalhau-records'
import type { Execution, HistoryEntry, Job } from '@saltcod/store-core'
import { expect } from 'vitest'
import {
  type AnsweredRelease,
  comparableEntry,
  comparableExecution,
  comparableJob,
  onlyKeysOf,
  readAnswers,
} from '../../../test/bacalhau-answers.ts'

/** All that is told of a job. */
export interface ToldJob {
  readonly job: Job<JobSpec>
  readonly executions: readonly Execution[]
  readonly history: readonly HistoryEntry[]
}

type Plain = Readonly<Record<string, unknown>>

/** The same in Bacalhau's models. */
export interface ToldModels {
  readonly job: Plain
  readonly executions: readonly Plain[]
  readonly history: readonly Plain[]
}

/** Of jobs that moved on between the answer and the death of the node, their records say something else. */
export const MOVED: Readonly<Record<AnsweredRelease, number>> = { '1.2.0': 1, '1.4.0': 1, '1.9.3': 0 }

/** Writes what is told in Bacalhau's models. */
export function modelsOf({ job, executions, history }: ToldJob): ToldModels {
  const name = onlyTask(job.spec).Name
  return {
    job: jobToWire(job, NEWEST_CLIENT, '') as unknown as Plain,
    executions: executions.map((one) => executionToWire(one, name, NEWEST_CLIENT) as unknown as Plain),
    history: history.map((entry) => historyToWire(entry, NEWEST_CLIENT) as unknown as Plain),
  }
}

/**
 * Compares all that is said of all jobs, field by field, with what the API of their node said of them; returns how
 * many jobs had moved on.
 */
export function compareWithAnswers(
  release: AnsweredRelease,
  found: ReadonlyMap<string, ToldModels>,
  isImported: boolean,
): number {
  const answers = readAnswers(release)
  const numbers = release === '1.9.3' ? 'later' : 'earlier'
  let moved = 0
  expect([...found.keys()].sort()).toEqual([...answers.keys()].sort())
  for (const [id, answer] of answers) {
    const { job, executions, history } = found.get(id) as ToldModels
    // What an import changes of a job that was in progress is one step more.
    const isInterrupted = (execution: Plain | undefined): boolean =>
      execution?.['EndReason'] === 'interrupted'
    const settled = isImported && executions.some(isInterrupted)
    if (job['Revision'] !== answer.job['Revision']) {
      moved += 1
      continue
    }
    expect(comparableJob(job), id).toEqual(comparableJob(answer.job, job))
    const byId = new Map(executions.map((execution) => [execution['ID'], execution]))
    expect(byId.size, id).toBe(answer.executions.length)
    for (const said of answer.executions) {
      const own = byId.get(said['ID'])
      if (settled && isInterrupted(own)) continue
      expect(comparableExecution(own as Plain, 'later'), id).toEqual(comparableExecution(said, numbers, own))
    }
    expect(history.length - (settled ? 1 : 0), id).toBe(answer.history.length)
    for (const [index, said] of answer.history.entries()) {
      const own = comparableEntry(history[index] as Plain, 'later')
      const expected = comparableEntry(said, numbers)
      expect(onlyKeysOf(own, expected), `${id} ${index}`).toEqual(expected)
    }
  }
  return moved
}
