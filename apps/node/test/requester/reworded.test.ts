import assert from 'node:assert/strict'
import type { JobSpec } from '@saltcod/bacalhau-records'
import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import { openMemoryExecutionStore, openMemoryJobStore } from '@saltcod/store-memory'
import { pino } from 'pino'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { Link } from '../../src/link/link.ts'
import { startRequester } from '../../src/requester/requester.ts'
import { DEFAULT_REQUESTER_SETTINGS } from '../../src/requester/settings.ts'
import { jobOf, startComputeSide } from '../compute/fixture.ts'

/** What is written for people, wherever it stands in a request. */
const FOR_PEOPLE = new Set(['message', 'desiredMessage', 'comment', 'reason', 'topic'])

/** The same value with other words for people; details of events are such words, all of them. */
function reworded(value: unknown, word: string): unknown {
  if (Array.isArray(value)) return value.map((item) => reworded(item, word))
  if (typeof value !== 'object' || value === null || value instanceof AbortSignal) return value
  const entries = Object.entries(value).map(([name, part]) => {
    if (FOR_PEOPLE.has(name) && typeof part === 'string') return [name, word]
    if (name === 'details') return [name, { reason: word, rejected: word, FailsExecution: word }]
    // What a user asked for is no message.
    return [name, name === 'spec' ? part : reworded(part, word)]
  })
  return Object.fromEntries(entries) as unknown
}

/** The same object, but that every request that is given to it is reworded. */
function rewording<T extends object>(target: T, word: string | null): T {
  if (word === null) return target
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown =>
        value.apply(
          target,
          given.map((argument) => reworded(argument, word)),
        )
    },
  })
}

/** Has a real requester and a real compute side do jobs that end in every way, and returns how they ended. */
async function endsOf(word: string | null): Promise<unknown> {
  const dataDir = temporaryDirectory()
  const jobs: JobStore<JobSpec> = await openMemoryJobStore<JobSpec>()
  const executions: ExecutionStore = await openMemoryExecutionStore()
  const requester = startRequester({
    store: rewording(jobs, word),
    nodeId: 'requester',
    settings: DEFAULT_REQUESTER_SETTINGS,
    log: pino({ level: 'silent' }),
  })
  onTestFinished(() => requester.stop())
  const link: Link = rewording(requester.link, word)
  const side = await startComputeSide({ store: rewording(executions, word), link, dataDir })

  const submit = async (params: object, timeoutS = 0): Promise<string> => {
    const task = { Timeouts: { ExecutionTimeout: timeoutS, QueueTimeout: 0, TotalTimeout: 0 } }
    const { spec } = jobOf('noop', params as never, { task })
    return (await jobs.submitJob({ type: 'batch', count: 1, spec: spec as JobSpec })).job.id
  }
  const inState = (id: string, state: string) =>
    eventually(`${id} becomes ${state}`, async () => {
      const { items } = await jobs.listExecutions({ jobId: id, limit: 100 })
      const settled = items.every(({ finishedAtMs }) => finishedAtMs !== null)
      const job = await jobs.getJob(id)
      if (state === 'Running') return items.some((execution) => execution.state === 'Running') || null
      return job?.state === state && settled ? items.map((one) => [one.state, one.endReason]) : null
    })

  const well = await submit({})
  const failing = await submit({ FailMessage: 'interrupted: node restarted' })
  const slow = await submit({ DurationMs: 600_000 }, 1)
  const refused = await submit({ DurationMs: -1 })
  const stopped = await submit({ DurationMs: 600_000 })
  await inState(stopped, 'Running')
  await jobs.transitionJob({ jobId: stopped, to: 'Stopped', evaluation: { trigger: 'job-cancel' } })
  const ends = {
    well: await inState(well, 'Completed'),
    failing: await inState(failing, 'Failed'),
    slow: await inState(slow, 'Failed'),
    refused: await inState(refused, 'Failed'),
    stopped: await inState(stopped, 'Stopped'),
  }
  const carriedOn = await submit({ DurationMs: 5_000 })
  await inState(carriedOn, 'Running')
  await side.stop(0)
  await startComputeSide({ store: rewording(executions, word), link, dataDir })
  return { ...ends, carriedOn: await inState(carriedOn, 'Completed') }
}

test('whatever is said to people, everything ends as it does', { timeout: 120_000 }, async () => {
  const expected = {
    well: [['Completed', null]],
    failing: [
      ['Failed', 'failed'],
      ['Failed', 'failed'],
    ],
    slow: [
      ['Failed', 'timed-out'],
      ['Failed', 'timed-out'],
    ],
    refused: [['AskForBidRejected', 'refused']],
    stopped: [['Cancelled', 'stopped']],
    carriedOn: [
      ['Failed', 'interrupted'],
      ['Completed', null],
    ],
  }
  const words = [null, 'x', 'interrupted: node restarted', 'true']
  assert.deepEqual(
    await Promise.all(words.map((word) => endsOf(word))),
    words.map(() => expected),
  )
})
