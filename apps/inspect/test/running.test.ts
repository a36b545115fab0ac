import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Fixture, inspect, inspectJson, makeFixture } from './fixture.ts'
import { startWriter, type WritingProcess } from './writing-process.ts'

// Each run of the program is a process of its own, and a busy machine has little time for it.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const PAGE_BYTES = 4_096
const LEAF = 2
const MANY_ROWS = 20

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

let fixture: Fixture
let store: string
let writer: WritingProcess | undefined

beforeEach(async () => {
  fixture = await makeFixture()
  store = join(fixture.directory, 'repository/n-1-requester/jobs.db')
  writer = undefined
})

afterEach(async () => {
  await writer?.stop()
  await fixture.remove()
})

function run(...args: readonly string[]) {
  return inspect(fixture.directory, ...args)
}

function pending(): number {
  const { jobs } = inspectJson<{ jobs: Record<string, number> }>(fixture.directory, 'summary', store)
  return Object.values(jobs).reduce((sum, count) => sum + count, 0)
}

test('a store that another process writes to is read, checked and backed up', async () => {
  writer = await startWriter(store, 'busy')
  const before = pending()
  const owner = inspectJson<{ owner: unknown }>(fixture.directory, 'info', store).owner
  expect(owner).toEqual({ running: true, processId: writer.pid })
  for (const verb of ['jobs', 'counts', 'du', 'stats', 'buckets', 'evaluations', 'dump', 'changes']) {
    expect({ verb, ...run(verb, store) }).toMatchObject({ status: 0 })
  }
  expect(run('check', store)).toMatchObject({ status: 0, stderr: '' })
  expect(run('backup', store, 'hot.db')).toMatchObject({ status: 0, stderr: '' })
  expect(run('check', 'hot.db')).toMatchObject({ status: 0 })
  expect(pending()).toBeGreaterThan(before)
  const submitted = await writer.stop()
  writer = undefined
  expect(pending()).toBe(5 + submitted)
  expect(run('check', store)).toMatchObject({ status: 0 })
  expect(lstatSync(`${store}-lock`).mode & 0o777).toBe(0o600)
})

test('a backup gives up where the store grows too much meanwhile, and keeps nothing', async () => {
  const large = join(fixture.directory, 'large', 'jobs.db')
  const jobs = await openLmdbJobStore({ path: large })
  for (let number = 0; number < 50; number += 1) {
    await jobs.submitJob({ type: 'batch', spec: { pad: 'x'.repeat(900_000) }, evaluation: null })
  }
  await jobs.close()
  const program = fileURLToPath(new URL('rewriting-process.mjs', import.meta.url))
  const rewriter = spawn(process.execPath, [program, large, '1000000'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(rewriter, 'close')
  const sequence = (): number => inspectJson<{ sequence: number }>(fixture.directory, 'info', large).sequence
  const first = sequence()
  let refused: ReturnType<typeof run>
  let allowed: ReturnType<typeof run>
  try {
    // Until it is well under way.
    while (sequence() < first + 100) expect(rewriter.exitCode).toBe(null)
    refused = run('backup', large, 'large.db', '--max-growth', '1kB')
    allowed = run('backup', large, 'allowed.db', '--max-growth', '10GB')
  } finally {
    rewriter.kill('SIGKILL')
    await ended
  }
  expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 3, stdout: '' })
  expect(refused.stderr).toMatch(/^Error: the store grew by .* while it was copied; nothing was kept\nHint: /)
  expect(allowed).toMatchObject({ status: 0, stderr: '' })
  expect(readdirSync(fixture.directory).filter((name) => name.includes('large.db'))).toEqual([])
  expect(run('check', 'allowed.db').status).toBe(0)
})

test('verbs that write refuse the store of a running node', async () => {
  writer = await startWriter(store, 'idle')
  for (const verb of ['repair', 'salvage', 'compact']) {
    const refused = run(verb, store, `${verb}.db`)
    expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 2, stdout: '' })
    expect(refused.stderr).toContain(`is in use by process ${writer.pid}; nothing was written`)
  }
})

test('changes --follow prints what comes, and ends well when it is asked to stop', async () => {
  const follower = spawn(
    process.execPath,
    [main, 'changes', store, '--follow', '--output', 'ndjson', '--since', '1d'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(follower, 'close')
  const lines = createInterface({ input: follower.stdout })[Symbol.asyncIterator]()
  const first = JSON.parse(String((await lines.next()).value))
  expect(first).toMatchObject({ kind: 'job', id: 'job-pending', state: 'Pending' })
  writer = await startWriter(store, 'busy')
  for (;;) {
    const { value, done } = await lines.next()
    expect(done).toBe(false)
    if (JSON.parse(String(value)).id === 'written-0') break
  }
  await writer.stop()
  writer = undefined
  follower.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

test('an inspector that is killed leaves nothing that hinders the node', async () => {
  writer = await startWriter(store, 'busy')
  const follower = spawn(
    process.execPath,
    [main, 'changes', store, '--follow', '--output', 'ndjson', '--since', '1d'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(follower, 'close')
  const lines = createInterface({ input: follower.stdout })[Symbol.asyncIterator]()
  await lines.next()
  follower.kill('SIGKILL')
  await ended
  const submitted = await writer.stop()
  writer = undefined
  expect(submitted).toBeGreaterThan(0)
  expect(run('check', store)).toMatchObject({ status: 0 })
})

test('a store that ends the process which reads it is a finding, not an end without a word', async () => {
  const filler = await startWriter(store, 'busy')
  while (pending() < 200) {
    // Until the trees have several pages.
  }
  await filler.stop()
  writer = await startWriter(store, 'idle')
  zeroLeaves(store)
  const check = run('check', store, '--output', 'json')
  expect(check.status).toBe(3)
  const { findings } = JSON.parse(check.stdout) as { findings: { rule: string; message: string }[] }
  expect(['open-died', 'store-unreadable']).toContain(findings[0]?.rule)
  const dump = run('dump', store, '--all', '--output', 'ndjson')
  expect(dump.status).toBe(3)
  expect(dump.stderr).toMatch(/^Error: .*damaged/m)
})

/** Overwrites every second leaf page with many rows with zeros, as a disk may that lies. */
function zeroLeaves(path: string): void {
  const file = openSync(path, 'r+')
  const pages = Math.floor(fstatSync(file).size / PAGE_BYTES)
  const page = Buffer.alloc(PAGE_BYTES)
  for (let number = 2; number < pages; number += 1) {
    readSync(file, page, 0, PAGE_BYTES, number * PAGE_BYTES)
    // Those with few rows are left: without the names of the tables nothing could be opened.
    const isLeaf = page.readUInt16LE(18) === LEAF && page.readUInt16LE(20) > 2 * MANY_ROWS
    if (isLeaf && number % 2 === 0)
      writeSync(file, Buffer.alloc(PAGE_BYTES), 0, PAGE_BYTES, number * PAGE_BYTES)
  }
  closeSync(file)
}
