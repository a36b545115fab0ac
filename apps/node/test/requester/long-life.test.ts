import assert from 'node:assert/strict'
import type { JobSpec } from '@saltcod/bacalhau-records'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { IS_LONG } from '../../../../test/seed.ts'
import { DEFAULT_REQUESTER_SETTINGS } from '../../src/requester/settings.ts'
import { greet, nextCommands, report, start } from './played-node.ts'
import { makeSpec } from './scheduler/world.ts'

const ENDS_BEFORE = IS_LONG ? 5_000 : 500
const ENDS_AFTER = IS_LONG ? 150 : 40
const KEPT = 101

test('a service that ended thousands of times takes as much room, and as much work, as one that ended a hundred times', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const { job } = await store.submitJob({ type: 'service', count: 1, spec: makeSpec(), evaluation: null })
  const jobId = job.id
  await store.transitionJob({ jobId, to: 'Running' })
  // As earlier releases left it: nothing was ever given up, and no execution knows how many were before it.
  const patch = { runOutput: { exitCode: 1, ranMs: 20 } }
  const end = async (): Promise<void> => {
    const { id: executionId } = await store.createExecution({ jobId, nodeId: 'n-1', partition: 0 })
    await store.updateExecution({
      executionId,
      to: 'Failed',
      endReason: 'exit-code',
      message: 'exit 1',
      patch,
    })
  }
  for (let ends = 100; ends <= ENDS_BEFORE; ends += 100) {
    await Promise.all(Array.from({ length: 100 }, end))
    await store.transitionJob({ jobId, message: `it has ended ${ends} times in a row` })
  }
  const retry = DEFAULT_REQUESTER_SETTINGS.retry
  const restarts = { ...retry.restarts, delayMs: 1, maxDelayMs: 1 }
  const requester = start(store, { retry: { ...retry, restarts } })
  await greet(requester, 'n-1')
  const forgotten = new Set<string>()
  let afterSequence = 0
  for (let ends = 0; ends <= ENDS_AFTER; ) {
    for (const { sequence, command } of await nextCommands(requester, 'n-1', afterSequence)) {
      afterSequence = sequence
      if (command.kind === 'forget') forgotten.add(command.executionId)
      if (command.kind !== 'ask-for-bid') continue
      const { executionId } = command
      ends += 1
      await report(requester, 'n-1', { executionId, revision: 1, state: 'Running' })
      // The last one goes on.
      if (ends > ENDS_AFTER) break
      const ended = { state: 'Failed', endReason: 'exit-code', message: 'exit 1', patch } as const
      await report(requester, 'n-1', { executionId, revision: 2, ...ended })
    }
  }
  const total = ENDS_BEFORE + ENDS_AFTER
  let seen = ''
  const said = await eventually(
    () => `all ends are told of: ${seen}`,
    async () => {
      seen = (await store.getJob(jobId))?.stateMessage ?? ''
      return seen.includes(`it has ended ${total} times in a row`) && seen
    },
  )
  assert.match(said, /the last end: exit 1$/)
  const { items: executions } = await store.listExecutions({ jobId, limit: 1_000 })
  assert.ok(executions.length <= KEPT + 26, `${executions.length} executions are kept`)
  const { items: history } = await store.listHistory({ jobId, limit: 1_000 })
  assert.ok(history.length <= 8 * (KEPT + 26), `${history.length} entries of the history are kept`)
  const [submitted, givenUp] = history.filter(({ level }) => level === 'job')
  assert.equal(submitted?.previousState, null)
  const kept = executions.filter(({ state }) => state === 'Failed').length
  assert.equal(givenUp?.event.details['GivenUp'], String(total - kept))
  assert.match(givenUp?.event.message ?? '', /^\d+ executions that had ended were given up by then/)
  assert.ok(forgotten.size > ENDS_AFTER, 'their node was told to forget them')
  assert.deepEqual((await store.check()).findings, [])
}, 300_000)
