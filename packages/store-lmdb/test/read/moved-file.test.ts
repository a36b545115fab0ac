import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbJobStore } from '../../src/index.ts'

test('a store whose file is moved away beneath it says so in errors of its own, and is as it was when it is back', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const aside = `${path}.aside`
  const store = await openLmdbJobStore({ path })
  const { job } = await store.submitJob({ type: 'batch', spec: {} })
  renameSync(path, aside)

  expect(() => store.capabilities.statistics?.()).toThrow(
    expect.objectContaining({ name: 'StoreError', message: expect.stringContaining('ENOENT') }),
  )
  await expect(store.capabilities.rewrite?.()).rejects.toMatchObject({ name: 'StoreError' })
  expect(await store.capabilities.backup?.(`${path}.copy`)).toBeGreaterThan(0)
  expect(await store.getJob(job.id)).toMatchObject({ id: job.id })

  renameSync(aside, path)
  await store.capabilities.rewrite?.()
  expect(store.capabilities.statistics?.().fileBytes).toBeGreaterThan(0)
  expect((await store.check()).findings).toEqual([])
  await store.close()
})
