import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { preloadLibrary } from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { findLmdbOwner, openLmdbKv } from '../../src/index.ts'
import { StoreProcess } from '../store-process.ts'

const TABLES = ['alpha', 'beta']
const LOCKED = { code: 'STORE_LOCKED' }

/** Lets others go on; a refusal comes without. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** Copies a directory so that each file has a second name and none is copied. */
function linkedCopy(path: string): string {
  const copy = join(temporaryDirectory(), 'copy')
  execFileSync('cp', ['-al', dirname(path), copy])
  return join(copy, 'jobs.db')
}

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

test('a failed opening leaves the store to the next one', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const full = openLmdbKv({ path, tables: TABLES, quotaBytes: 1 })
  await expect(full).rejects.toMatchObject({ code: 'STORE_FULL' })
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.close()
})

test('a running store has no second owner by another name of its file', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('own', path)
  await owner.line('open')
  const copy = linkedCopy(path)
  await expect(openLmdbKv({ path: copy, tables: TABLES })).rejects.toMatchObject(LOCKED)
  expect(await findLmdbOwner(copy)).toMatchObject({ running: true })
  const second = new StoreProcess('own', copy)
  expect(await second.line('error')).toMatch(/STORE_LOCKED/)
  await owner.kill()
  const store = await openLmdbKv({ path: copy, tables: TABLES })
  await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject(LOCKED)
  await store.close()
})

test('nothing that is removed beside a running store lets a second owner in', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('own', path)
  await owner.line('open')
  rmSync(`${path}.owner`)
  const opened = openLmdbKv({ path, tables: TABLES })
  await expect(opened).rejects.toMatchObject({ ...LOCKED, message: expect.stringMatching(/another process/) })
  expect(await findLmdbOwner(path)).toEqual({ running: true, processId: null })
  expect(await owner.end()).toBe('0')
  expect(await findLmdbOwner(path)).toEqual({ running: false, lastEnd: 'none' })
})

test('the place of a running store whose file was moved away is not taken', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('own', path)
  await owner.line('open')
  renameSync(path, `${path}.away`)
  const refused = { ...LOCKED, message: expect.stringMatching(/process \d+, whose file was moved away/) }
  await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject(refused)
  expect(existsSync(path)).toBe(false)
  await owner.kill()
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.close()
})

test('the lock goes with a rewrite to the new file, and leaves the old one to others', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('rewrite', path)
  await owner.line('open')
  const copy = linkedCopy(path)
  await owner.line('rewritten')
  await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject(LOCKED)
  // The owner lets go of it when its new file has proven itself.
  while ((await findLmdbOwner(copy)).running) await turn()
  const old = await openLmdbKv({ path: copy, tables: TABLES })
  await old.close()
  await owner.kill()
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.close()
})

test('while it is rewritten again and again, nobody else becomes the owner', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('rewrite', path)
  await owner.line('open')
  const isRewritten = (line: string): boolean => line.startsWith('rewritten')
  let tries = 0
  while (owner.lines.filter(isRewritten).length < 5) {
    await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject(LOCKED)
    expect(await findLmdbOwner(path)).toMatchObject({ running: true })
    tries += 1
    await turn()
  }
  expect(tries).toBeGreaterThan(5)
})

test('processes that cannot see each other see the lock', async ({ skip }) => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const apart = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const
  try {
    execFileSync(apart[0], [...apart.slice(1), 'true'], { stdio: 'ignore' })
  } catch {
    skip('this user may not make namespaces')
    return
  }
  const owner = new StoreProcess('own', path, { wrapper: apart })
  expect(await owner.line('open')).toBe('open 1')
  const other = new StoreProcess('own', path, { wrapper: apart })
  expect(await other.line('error')).toMatch(/STORE_LOCKED/)
  await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject(LOCKED)
  await owner.kill()
  const next = new StoreProcess('own', path, { wrapper: apart })
  expect(await next.line('open')).toBe('open 1')
  expect(await next.end()).toBe('0')
})

test('to look for the owner turns no owner away', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('own', path)
  await owner.line('open')
  expect(await owner.end()).toBe('0')
  let looking = true
  const look = async (): Promise<void> => {
    while (looking) {
      await findLmdbOwner(path)
      await turn()
    }
  }
  const lookers = Promise.all(Array.from({ length: 20 }, look))
  for (let round = 0; round < 20; round += 1) {
    const store = await openLmdbKv({ path, tables: TABLES })
    await store.close()
  }
  looking = false
  await lookers
})

test('what an earlier release left beside a store gives way, but not to a process of it that has the store', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.close()
  rmSync(`${path}.owner`)
  mkdirSync(`${path}.owner`)
  writeFileSync(join(`${path}.owner`, '1.closed'), '')
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(join(`${path}.owner`, '2'), resolve)
  })
  // Such an owner has no lock on the file, but has it open, as a reader has.
  const process = new StoreProcess('read', path)
  await process.line('open')
  const refused = { ...LOCKED, message: expect.stringMatching(/earlier release/) }
  await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject(refused)
  expect(readdirSync(`${path}.owner`)).toEqual(['1.closed', '2'])
  await process.kill()
  const next = await openLmdbKv({ path, tables: TABLES })
  expect(readFileSync(`${path}.owner`, 'latin1')).toMatch(
    /^process \d+ commit \d+ of \d+:\d+ walked \d+ *\n$/,
  )
  await next.close()
  server.close()
})

test('where a file system has no such locks, the store is refused, and nothing is left there', async ({
  skip,
}) => {
  const library = preloadLibrary(new URL('./without-locks.c', import.meta.url), temporaryDirectory())
  if (library === undefined) {
    skip('there is no gcc to build the library that lets locks fail')
    return
  }
  const path = join(temporaryDirectory(), 'jobs.db')
  const environment = { LD_PRELOAD: library }
  const first = new StoreProcess('own', path, { environment })
  expect(await first.line('error')).toMatch(/STORE_PERMISSION .*cannot be locked/)
  expect(readdirSync(dirname(path))).toEqual([])
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.close()
  for (const command of ['own', 'read'] as const) {
    const next = new StoreProcess(command, path, { environment })
    expect(await next.line('error')).toMatch(/STORE_PERMISSION .*cannot be locked/)
  }
})
