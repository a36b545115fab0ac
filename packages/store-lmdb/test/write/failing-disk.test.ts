import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAILING_DISK, preloadLibrary } from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbKv } from '../../src/index.ts'
import { StoreProcess } from '../store-process.ts'

const POSITIONS = IS_LONG ? Array.from({ length: 200 }, (_, n) => n + 1) : [1, 2, 9]
const NO_COMPILER = 'there is no gcc to build the library that lets the disk fail'

/** Opens a store after a disk failed, lets it take one more write, and returns which numbers it has. */
async function opened(path: string): Promise<{ notices: string[]; there: ReadonlySet<number> }> {
  const notices: string[] = []
  const store = await openLmdbKv({
    path,
    tables: ['alpha', 'beta'],
    onNotice: ({ code }) => notices.push(code),
  })
  const there = new Set<number>()
  for (let last = Buffer.alloc(1); ; ) {
    const keys = store.read((snapshot) => snapshot.keys('alpha', { gt: last, limit: 10_000 }))
    for (const key of keys) there.add(Number(Buffer.from(key).toString()))
    if (keys.length === 0) break
    last = Buffer.from(keys.at(-1) ?? [])
  }
  await store.write((transaction) => {
    transaction.put('beta', Buffer.from('later'), Buffer.alloc(10))
  })
  await store.close()
  return { notices, there }
}

function keptBy({ lines }: StoreProcess): number[] {
  return lines.filter((line) => line.startsWith('kept')).map((line) => Number(line.split(' ')[1]))
}

test.for(
  ['sync', 'meta', 'pwrite'].flatMap((call) => [
    { call, commitThread: 'never' },
    { call, commitThread: 'always' },
  ]),
)(
  'when $call fails, everything is refused, the store can be closed, and nothing acknowledged is lost (a thread for commits: $commitThread)',
  async ({ call, commitThread }, { skip }) => {
    const library = preloadLibrary(FAILING_DISK, temporaryDirectory())
    if (library === undefined) {
      skip(NO_COMPILER)
      return
    }
    const directory = temporaryDirectory()
    const path = join(directory, 'jobs.db')
    const trigger = join(directory, 'trigger')
    const writer = new StoreProcess('write', path, {
      environment: { LD_PRELOAD: library, FAILING_DISK: trigger, COMMIT_THREAD: commitThread },
    })
    await writer.count(60)
    writeFileSync(trigger, call)
    expect(await writer.line('failed')).toBe('failed STORE_FAILED')
    await writer.line('closed')
    // lmdb 3.5.6 writes the text of a failed page write beyond the 100 bytes that it asks for (mdb.c, mdb_page_flush),
    // so the end of such a process may be the allocator's.
    expect(await writer.exit()).toMatch(call === 'pwrite' ? /^(0|SIGABRT|SIGSEGV)$/ : /^0$/)
    rmSync(trigger)
    const codes = new Set(
      writer.lines.map((line) => line.split(' ')[0]).filter((word) => /^[A-Z]/.test(word ?? '')),
    )
    expect([...codes].filter((code) => code !== 'OUTCOME_UNKNOWN' && code !== 'STORE_FAILED')).toEqual([])
    expect(codes).toContain('OUTCOME_UNKNOWN')

    const { notices, there } = await opened(path)
    expect(notices).toEqual(['OWNER_DIED'])
    expect(keptBy(writer).filter((id) => !there.has(id))).toEqual([])
  },
)

test(`when the write of a meta page fails at any of ${POSITIONS.length} positions, the store opens again with all that was acknowledged`, {
  timeout: 60_000 + POSITIONS.length * 10_000,
}, async ({ skip }) => {
  const library = preloadLibrary(FAILING_DISK, temporaryDirectory())
  if (library === undefined) {
    skip(NO_COMPILER)
    return
  }
  const path = join(temporaryDirectory(), 'jobs.db')
  const kept: number[] = []
  for (const position of POSITIONS) {
    const COMMIT_THREAD = position % 2 === 0 ? 'always' : 'never'
    const environment = { LD_PRELOAD: library, FAILING_META: String(position), COMMIT_THREAD }
    const writer = new StoreProcess('write', path, { environment })
    // It may fail as it is opened too.
    const end = await Promise.race([writer.line('closed'), writer.line('error')])
    expect(end, `position ${position}`).toMatch(/^(closed|error STORE_FAILED)/)
    expect(await writer.exit(), `position ${position}`).toMatch(/^[03]$/)
    kept.push(...keptBy(writer))
    const { there } = await opened(path)
    expect(
      kept.filter((id) => !there.has(id)),
      `position ${position}`,
    ).toEqual([])
  }
  expect(kept.length).toBeGreaterThan(0)
})
