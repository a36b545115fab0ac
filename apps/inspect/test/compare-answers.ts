import {
  executionToWire,
  historyToWire,
  type JobSpec,
  jobToWire,
  NEWEST_CLIENT,
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

/** Of jobs that moved on between the answer and the death of the node, their records say something else. */
export const MOVED: Readonly<Record<AnsweredRelease, number>> = { '1.2.0': 1, '1.4.0': 1, '1.9.3': 0 }

/**
 * Compares all that is said of all jobs, field by field, with what the API of their node said of them; returns how
 * many jobs had moved on.
 */
export function compareWithAnswers(
  release: AnsweredRelease,
  found: ReadonlyMap<string, ToldJob>,
  isImported: boolean,
): number {
  const answers = readAnswers(release)
  const numbers = release === '1.9.3' ? 'later' : 'earlier'
  let moved = 0
  expect([...found.keys()].sort()).toEqual([...answers.keys()].sort())
  for (const [id, answer] of answers) {
    const { job, executions, history } = found.get(id) as ToldJob
    // What an import changes of a job that was in progress is one step more.
    const settled = isImported && executions.some(({ endReason }) => endReason === 'interrupted')
    if (job.revision !== answer.job['Revision']) {
      moved += 1
      continue
    }
    const wire = jobToWire(
      job,
      NEWEST_CLIENT,
      String((answer.job['Meta'] as Record<string, string>)['bacalhau.org/requester.id']),
    )
    expect(comparableJob(wire as never), id).toEqual(comparableJob(answer.job, wire as never))
    const byId = new Map(executions.map((execution) => [execution.id, execution]))
    for (const said of answer.executions) {
      const execution = byId.get(String(said['ID']))
      if (settled && execution?.endReason === 'interrupted') continue
      const own = executionToWire(execution as Execution, 'main', NEWEST_CLIENT)
      expect(comparableExecution(own as never, 'later'), id).toEqual(
        comparableExecution(said, numbers, own as never),
      )
    }
    expect(history.length - (settled ? 1 : 0), id).toBe(answer.history.length)
    for (const [index, said] of answer.history.entries()) {
      const own = comparableEntry(
        historyToWire(history[index] as HistoryEntry, NEWEST_CLIENT) as never,
        'later',
      )
      const expected = comparableEntry(said, numbers)
      expect(onlyKeysOf(own, expected), `${id} ${index}`).toEqual(expected)
    }
  }
  return moved
}
