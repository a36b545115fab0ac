import { copyFileSync } from 'node:fs'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { INDEX, tuple } from '@saltcod/store-core/format'
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
  expect((await session.run('jobs', 'lacking.db', '--all', '--type', 'batch')).stderr).toBe('')
  for (const verb of ['evaluations', 'executions']) {
    const whole = await session.run(verb, 'lacking.db', '--all')
    expect([whole.status, whole.stderr], verb).toEqual([0, ''])
  }
})

/** Makes a copy of the store of jobs that lacks the first rows of a table that begin so. */
async function without(name: string, table: string, prefix: Uint8Array): Promise<void> {
  copyFileSync(session.at('jobs.db'), session.at(name))
  const store = await openLmdbKv({ path: session.at(name), tables: STORE_TABLES })
  const removed = await store.write((transaction) => {
    const [key] = transaction.keys(table, { gte: prefix, limit: 1 })
    if (key !== undefined) transaction.remove(table, key)
    return key !== undefined
  })
  await store.close()
  expect(removed).toBe(true)
}

test('so does one of a state or a namespace, and an export or a dump of everything', async () => {
  await without('state.db', 'index', tuple(INDEX.jobByState, 'Completed'))
  const ofState = await session.run('jobs', 'state.db', '--all', '--state', 'Completed')
  expect([ofState.status, ofState.stderr]).toEqual([1, expect.stringMatching(/^Warning: 1 of .*\(job\)/)])
  const ofOthers = await session.run('jobs', 'state.db', '--all', '--state', 'Running')
  expect([ofOthers.status, ofOthers.stderr]).toEqual([0, ''])
  await without('namespace.db', 'index', tuple(INDEX.jobByNamespace, 'default'))
  const ofNamespace = await session.run('jobs', 'namespace.db', '--all', '--namespace', 'default')
  expect([ofNamespace.status, ofNamespace.stderr]).toEqual([1, expect.stringContaining('run check')])
  await without('row.db', 'executions', new Uint8Array(1))
  for (const command of [
    ['export', 'row.db'],
    ['dump', 'row.db', '--all'],
  ]) {
    const { status, stderr } = await session.run(...command)
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^Warning: 1 of .*\(execution\)/)])
  }
  expect((await session.run('dump', 'row.db', '--limit', '5')).status).toBe(0)
})
