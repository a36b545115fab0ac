import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionStore } from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { expect, test } from 'vitest'
import { until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { jobOf, shellJob, startComputeSide } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

test('an execution that the requester does not know is ended, and removed with its files when it was kept for a while', async () => {
  const store: ExecutionStore = await openMemoryExecutionStore()
  const link = new TestRequester()
  const dataDir = temporaryDirectory()
  const side = await startComputeSide({ store, link, dataDir })
  link.ask('e-1', shellJob('sleep 60'), { approved: true })
  link.executions.delete('e-1')
  await until(
    () => store.getExecution('e-1'),
    (record) => record?.state === 'Cancelled' && link.pendingCommands === 0,
  )
  link.ask('e-2', jobOf('noop', {}), { approved: true })
  await until(
    () => link.known('e-2'),
    ({ state }) => state === 'Completed',
  )
  const orphans = { count: 1, ids: ['e-1'] }
  expect(await side.removeUnasked({})).toEqual({ removed: 0, orphans, failures: [] })
  expect(await side.removeUnasked({ keptMs: 0, dryRun: true })).toMatchObject({ removed: 1 })
  expect(existsSync(join(dataDir, 'work', 'e-1'))).toBe(true)
  expect(await side.removeUnasked({ keptMs: 0 })).toMatchObject({ removed: 1, orphans: { count: 0 } })
  expect(await store.getExecution('e-1')).toBeNull()
  expect(existsSync(join(dataDir, 'work', 'e-1'))).toBe(false)
  expect(await store.getExecution('e-2')).not.toBeNull()
  expect((await store.check()).findings).toEqual([])
})
