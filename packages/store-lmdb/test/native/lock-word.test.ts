import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { KvStore } from '@saltcod/store-core/backend'
import { expect, onTestFinished, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbJobStore, openLmdbKv } from '../../src/index.ts'
import { LockWord } from '../../src/native/lock-word.ts'

const SCRIPT = fileURLToPath(new URL('./opening-process.mjs', import.meta.url))
const READER = fileURLToPath(new URL('../reader-process.mjs', import.meta.url))
const TABLES = ['alpha']
const key = Buffer.from('counter')
const OPENINGS = IS_LONG ? 20_000 : 100

/** Adds one to a number in the store, and returns it. */
async function count(store: KvStore): Promise<number> {
  return store.write((transaction) => {
    const next = (transaction.get('alpha', key)?.[0] ?? 0) + 1
    transaction.put('alpha', key, Buffer.from([next & 255]))
    transaction.put('alpha', Buffer.from(`row ${next & 255}`), Buffer.alloc(500, next))
    return next & 255
  })
}

/**
 * The number of the last transaction in the lock file. Closed only after the store: closing it drops the locks of this
 * process.
 */
function openWord(path: string) {
  const file = openSync(`${path}-lock`, 'r+')
  const word = Buffer.alloc(8)
  const read = () => {
    readSync(file, word, 0, 8, 8)
    return word.readBigUInt64LE()
  }
  return {
    read,
    /** What a process does that read the number just before the last commit, and opens the store just after it. */
    setBack: () => {
      word.writeBigUInt64LE(read() - 1n)
      writeSync(file, word, 0, 8, 8)
    },
    close: () => {
      closeSync(file)
    },
  }
}

const THREADS = ['never', 'always'] as const

test.for(THREADS)(
  'a lock file that lags one commit behind does not undo that commit (a thread for commits: %s)',
  async (commitThread) => {
    const path = join(temporaryDirectory(), 'jobs.db')
    const store = await openLmdbKv({ path, tables: TABLES, commitThread })
    for (let n = 1; n <= 5; n += 1) expect(await count(store)).toBe(n)
    const word = openWord(path)
    for (let n = 6; n <= 30; n += 1) {
      word.setBack()
      expect(await count(store)).toBe(n)
    }
    await store.close()
    word.close()
    const again = await openLmdbKv({ path, tables: TABLES })
    expect(await count(again)).toBe(31)
    await again.close()
  },
)

test.for(THREADS)(
  'the owner sees its last commit, and soon everybody, where the lock file lags behind it (a thread for commits: %s)',
  async (commitThread) => {
    const path = join(temporaryDirectory(), 'jobs.db')
    const store = await openLmdbKv({ path, tables: TABLES, commitThread })
    onTestFinished(async () => await store.close())
    await count(store)
    const word = openWord(path)
    for (let n = 2; n <= 30; n += 1) {
      await count(store)
      word.setBack()
      expect(store.read((snapshot) => snapshot.get('alpha', key)?.[0])).toBe(n)
    }
    const last = word.read()
    word.setBack()
    await expect.poll(() => word.read()).toBe(last)
  },
)

test('a reader in another process sees the last commit where the lock file lags behind it', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbJobStore({ path })
  onTestFinished(async () => await store.close())
  const reader = fork(READER, { execArgv: [], serialization: 'advanced' })
  onTestFinished(() => {
    reader.kill('SIGKILL')
  })
  const seen = async (): Promise<number> => {
    const answer = once(reader, 'message') as Promise<[{ result: unknown[] }]>
    reader.send({ id: 1, kind: 'jobs', path, method: 'counts', args: [{ kind: 'job' }], atMs: 1 })
    const [{ result }] = await answer
    return (result[0] as { records: number }).records
  }
  await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
  expect(await seen()).toBe(1)
  const word = openWord(path)
  for (let n = 2; n <= 30; n += 1) {
    await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
    word.setBack()
    expect(await seen()).toBe(n)
  }
})

test.for(THREADS)(
  `no commit is lost while another process opens the store ${OPENINGS} times (a thread for commits: %s)`,
  {
    timeout: OPENINGS * 200,
  },
  async (commitThread) => {
    const path = join(temporaryDirectory(), 'jobs.db')
    const store = await openLmdbKv({ path, tables: TABLES, commitThread })
    const child = spawn(process.execPath, [SCRIPT, path], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    let openings = 0
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      openings += text.split('\n').length - 1
    })
    let written = 0
    while (openings < OPENINGS) {
      written += 1
      expect(await count(store)).toBe(written & 255)
    }
    const ended = new Promise((resolve) => child.on('close', resolve))
    child.stdin.end()
    expect(await ended).toBe(0)
    await store.close()
  },
)

test('a lock file that cannot be read or written is no error of its own, neither for the timer nor for who asks', async () => {
  const path = join(temporaryDirectory(), 'lock')
  writeFileSync(path, Buffer.alloc(64))
  for (const flags of ['w', 'r']) {
    if (flags === 'r') writeFileSync(path, Buffer.alloc(64))
    const file = openSync(path, flags)
    let looks = 0
    const word = new LockWord(file, () => {
      looks += 1
      return 5
    })
    word.watch()
    while (looks === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(word.correct(), flags).toBe(false)
    word.awaitLastCommit()
    word.close()
  }
})
