import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { openLmdbKv } from '../src/index.ts'
import { StoreProcess } from './store-process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const TABLES = ['alpha', 'beta']

test('a second process is refused, with the process id of the owner', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('own', path)
  const processId = (await owner.line('open')).split(' ')[1]
  const other = new StoreProcess('own', path)
  expect(await other.line('error')).toMatch(new RegExp(`STORE_LOCKED .*process ${processId}\\b`))
  expect(await other.exit()).toBe('3')
  expect(await owner.end()).toBe('0')
  const next = new StoreProcess('own', path)
  await next.line('open')
  expect(await next.end()).toBe('0')
  expect(next.lines.some((line) => line.startsWith('notice'))).toBe(false)
})

test('an owner that does not answer is still the owner', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('own', path)
  await owner.line('open')
  owner.signal('SIGSTOP')
  const opened = openLmdbKv({ path, tables: TABLES })
  await expect(opened).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  owner.signal('SIGCONT')
  expect(await owner.end()).toBe('0')
})

test('after kill -9 the next one takes over, says so, and finds what was acknowledged', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('write', path)
  await owner.count(50)
  await owner.kill()
  const notices: string[] = []
  const store = await openLmdbKv({ path, tables: TABLES, onNotice: ({ code }) => notices.push(code) })
  expect(notices).toEqual(['OWNER_DIED'])
  const kept = owner.lines.filter((line) => line.startsWith('kept')).map((line) => Number(line.split(' ')[1]))
  const there = new Set(
    store
      .read((snapshot) => snapshot.keys('alpha', { limit: 10_000 }))
      .map((key) => Number(Buffer.from(key).toString())),
  )
  expect(kept.filter((id) => !there.has(id))).toEqual([])
  await store.close()
})

test('of many starters exactly one becomes the owner, also over a dead one', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  for (let round = 0; round < 3; round += 1) {
    const starters = Array.from({ length: 5 }, () => new StoreProcess('own', path))
    const said = await Promise.all(
      starters.map((starter) =>
        Promise.race([starter.line('open').catch(() => 'error'), starter.line('error').catch(() => 'open')]),
      ),
    )
    const owners = starters.filter((_, index) => said[index]?.startsWith('open'))
    expect(owners).toHaveLength(1)
    for (const line of said) expect(line).toMatch(/^(open|error STORE_LOCKED)/)
    for (const owner of owners) await owner.kill()
  }
})

test('two openings in one process: exactly one succeeds', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const opened = await Promise.allSettled([1, 2, 3, 4].map(() => openLmdbKv({ path, tables: TABLES })))
  const owners = opened.filter((result) => result.status === 'fulfilled')
  expect(owners).toHaveLength(1)
  for (const result of opened) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'STORE_LOCKED' })
  }
  for (const owner of owners) await owner.value.close()
})

test('a path longer than the address of a socket may be', async () => {
  let directory = temporaryDirectory()
  for (let depth = 0; depth < 5; depth += 1) directory = join(directory, 'd'.repeat(60))
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'jobs.db')
  const owner = new StoreProcess('own', path)
  await owner.line('open')
  await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await owner.kill()
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.close()
  expect(readdirSync(`${path}.owner`)).toEqual(['2.closed'])
})

test('a failed opening leaves the store to the next one', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const full = openLmdbKv({ path, tables: TABLES, quotaBytes: 1 })
  await expect(full).rejects.toMatchObject({ code: 'STORE_FULL' })
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.close()
})
