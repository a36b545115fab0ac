import assert from 'node:assert/strict'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { test } from 'vitest'
import { until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { LinkError } from '../../src/link/link-error.ts'
import { jobOf, startComputeSide } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

test('a report that the requester refuses is set aside, and its state and all behind it are told', async () => {
  const store = await openMemoryExecutionStore()
  const link = new TestRequester()
  link.store = { ...link.store, openings: [{ id: 'first', firstSequence: 1 }] }
  const { report } = link
  let refuses = true
  link.report = async (request) => {
    const poison = request.reports.some(
      ({ executionId, state, event }) =>
        executionId === 'e-2' && state === 'Completed' && event !== undefined,
    )
    if (refuses && poison) throw new LinkError('LINK_INVALID', 'it is none that is known')
    return await report.call(link, request)
  }
  const dataDir = temporaryDirectory()
  const side = await startComputeSide({ store, link, dataDir })
  for (const id of ['e-1', 'e-2', 'e-3']) link.ask(id, jobOf('noop', {}), { approved: true })
  for (const id of ['e-1', 'e-2', 'e-3'])
    await until(
      () => link.known(id).state,
      (state) => state === 'Completed',
    )
  assert.equal(link.known('e-2').runOutput, null)
  assert.equal(side.refusedReports(), 1)
  const [aside, ...more] = await side.listRefused()
  assert.deepEqual([aside?.executionId, aside?.state, more.length], ['e-2', 'Completed', 0])
  assert.match(aside?.reason ?? '', /none that is known/)
  await until(
    () => store.readOutbox({ destination: 'requester' }),
    (rows) => rows.length === 0,
  )
  await side.stop(0)
  // Another release of the requester takes it.
  refuses = false
  link.store = { ...link.store, openings: [{ id: 'second', firstSequence: 2 }, ...link.store.openings] }
  const next = await startComputeSide({ store, link, dataDir })
  await until(
    () => next.listRefused(),
    (rows) => rows.length === 0,
  )
})
