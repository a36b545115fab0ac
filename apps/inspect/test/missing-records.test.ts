import { copyFileSync } from 'node:fs'
import { INDEX, STORE_TABLES, tuple } from '@saltcod/store-core'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { expect, test } from 'vitest'
import { useFixtureSession } from './fixture-session.ts'

const session = useFixtureSession()

test('a listing of everything says how many records are missing by the counters, and ends with 1', async () => {
  const sound = await session.run('jobs', 'jobs.db', '--all')
  expect([sound.status, sound.stderr]).toEqual([0, ''])
  copyFileSync(session.at('jobs.db'), session.at('lacking.db'))
  const store = await openLmdbKv({ path: session.at('lacking.db'), tables: STORE_TABLES })
  const prefix = tuple(INDEX.jobByCreation)
  const dropped = await store.write((transaction) => {
    const [key] = transaction
      .keys('index', { limit: 10_000 })
      .filter((candidate) => Buffer.from(candidate.subarray(0, prefix.length)).equals(prefix))
    if (key !== undefined) transaction.remove('index', key)
    return key !== undefined
  })
  await store.close()
  expect(dropped).toBe(true)
  const lacking = await session.run('jobs', 'lacking.db', '--all')
  expect(lacking.status).toBe(1)
  expect(lacking.stderr).toMatch(
    /^Warning: 1 of .*lacking\.db missing from this listing \(job\): run check\n$/,
  )
  expect((await session.run('jobs', 'lacking.db', '--all', '--state', 'Completed')).stderr).toBe('')
  for (const verb of ['evaluations', 'executions']) {
    const whole = await session.run(verb, 'lacking.db', '--all')
    expect([whole.status, whole.stderr], verb).toEqual([0, ''])
  }
})
