import { join } from 'node:path'
import { executionStoreSuite, jobStoreSuite } from '@saltcod/store-testing'
import { afterAll } from 'vitest'
import { oneIn } from '../../../../test/sampled-runner.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbExecutionStore, openLmdbJobStore } from '../../src/index.ts'
import { ReaderProcess } from '../reader-process.ts'

const reader = new ReaderProcess()

afterAll(() => reader.end())

const name = 'lmdb, read by another process'

jobStoreSuite({
  name,
  runner: oneIn(6),
  small: true,
  open: async (clock, steadyClock) => {
    const path = join(temporaryDirectory(), 'jobs.db')
    const open = async () =>
      reader.readFor(await openLmdbJobStore({ path, clock, steadyClock }), 'jobs', path, clock)
    return { store: await open(), reopen: open, dispose: async () => undefined }
  },
})

executionStoreSuite({
  name,
  runner: oneIn(6),
  small: true,
  open: async (clock, steadyClock) => {
    const path = join(temporaryDirectory(), 'executions.db')
    const open = async () =>
      reader.readFor(await openLmdbExecutionStore({ path, clock, steadyClock }), 'executions', path, clock)
    return { store: await open(), reopen: open, dispose: async () => undefined }
  },
})
