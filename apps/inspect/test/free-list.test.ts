import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbJobStore, openLmdbKv } from '@saltcod/store-lmdb'
import { DataFile, findCommit, parseHeader, parseLeafNode, walkFile } from '@saltcod/store-lmdb/file'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { randomBelow } from '../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { sharedDirectory } from '../../../test/temporary-directory.ts'
import { checkPages } from '../src/file/check-pages.ts'
import { inspect } from './fixture.ts'
import { writeFullExecutionStore, writeFullJobStore } from './full-store.ts'
import { startWriter } from './writing-process.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const SEED = testSeed()
const PAGE_BYTES = 4_096
const LAST_PAGE_OFFSET = 144
const TRANSACTION_OFFSET = 152
const TREE_FLAGS = 4
/** The flags of a row are in front of the length of its key. */
const NODE_FLAGS_BEFORE_KEY = 4
const holding = fileURLToPath(new URL('holding-process.mjs', import.meta.url))

const directory = sharedDirectory()
let sound: string

beforeAll(async () => {
  sound = place('sound')
  await writeFullJobStore(sound)
})

function place(name: string): string {
  const path = join(directory, name, 'jobs.db')
  mkdirSync(join(path, '..'), { recursive: true })
  return path
}

function findingsOf(path: string): string[] {
  const { structure, unused } = checkPages(path, 100)
  return [...structure, ...unused].map(({ rule, message }) => `${rule}: ${message}`)
}

function damaged(name: string, change: (bytes: Buffer) => void): string {
  const path = place(name)
  const bytes = readFileSync(sound)
  change(bytes)
  writeFileSync(path, bytes, { mode: 0o600 })
  return path
}

/** The two transaction numbers of a file, the newest first, with the page that has each. */
function metasOf(bytes: Buffer): { page: number; transaction: bigint }[] {
  const metas = [0, 1].map((page) => ({
    page,
    transaction: bytes.readBigUInt64LE(page * PAGE_BYTES + TRANSACTION_OFFSET),
  }))
  return metas.sort((a, b) => Number(b.transaction - a.transaction))
}

function newestOf(path: string): bigint {
  return metasOf(readFileSync(path))[0]?.transaction ?? 0n
}

function stamp(bytes: Buffer, page: number, transaction: bigint): void {
  bytes.writeBigUInt64LE(transaction, page * PAGE_BYTES + TRANSACTION_OFFSET)
}

/** The first record of the list of free pages that is short: where it is in the file, and its words. */
function freeRecord(path: string): { offset: number; words: bigint[] } {
  const file = new DataFile(path)
  try {
    const commit = findCommit(file)
    if (typeof commit === 'string') throw new Error(commit)
    const { meta } = commit
    if (meta.freeTree.root === null) throw new Error('no list of free pages')
    const start = meta.freeTree.root * PAGE_BYTES
    const page = file.read(start, PAGE_BYTES)
    const header = parseHeader(page, meta.freeTree.root)
    if (typeof header === 'string' || header.kind !== 'leaf') throw new Error('the list has several pages')
    for (let index = header.count - 1; index >= 0; index -= 1) {
      const node = parseLeafNode(page, index)
      if (typeof node === 'string' || !Buffer.isBuffer(node.value) || node.value.length < 40) continue
      const { value } = node
      const words = Array.from({ length: value.length / 8 }, (_, word) => value.readBigInt64LE(word * 8))
      return { offset: start + value.byteOffset - page.byteOffset, words }
    }
    throw new Error('no record that fits')
  } finally {
    file.close()
  }
}

function usedPage(path: string): number {
  const walk = walkFile(path, { problem: () => undefined, lost: () => undefined })
  let step = walk.next()
  while (step.done !== true) step = walk.next()
  return step.value?.seen.indexOf(1) ?? 0
}

describe('a meta page', () => {
  test('whose number makes an older state the newest is found, and salvage goes by the pages', async () => {
    const [newest, older] = metasOf(readFileSync(sound))
    if (newest === undefined || older === undefined) throw new Error('no meta pages')
    const raised = damaged('raised', (bytes) => stamp(bytes, older.page, newest.transaction + 1n))
    expect(findingsOf(raised)).toEqual([
      expect.stringContaining('meta-damaged: a meta page is of transaction'),
    ])
    expect(rowsOf(raised)).toEqual(rowsOf(sound))
  })

  test('that is empty and claims the second commit is found', async () => {
    const path = place('one-commit')
    const kv = await openLmdbKv({ path, tables: STORE_TABLES })
    await kv.capabilities.backup?.(place('copied'))
    await kv.close()
    const bytes = readFileSync(place('copied'))
    expect(findingsOf(place('copied'))).toEqual([])
    const [newest] = metasOf(bytes)
    if (newest === undefined) throw new Error('no meta pages')
    stamp(bytes, 1 - newest.page, newest.transaction + 1n)
    writeFileSync(place('emptied'), bytes)
    expect(findingsOf(place('emptied'))).toContainEqual(expect.stringContaining('and points to nothing'))
  })
})

function rowsOf(path: string): string[] {
  return [...walkFile(path, { problem: () => undefined, lost: () => undefined })].map(
    ({ table, key, value }) => `${table} ${key.toString('hex')} ${value.toString('hex')}`,
  )
}

describe('the list of free pages', () => {
  const change = (name: string, word: (words: readonly bigint[]) => [number, bigint]): string => {
    const { offset, words } = freeRecord(sound)
    return damaged(name, (bytes) => {
      const [place, value] = word(words)
      bytes.writeBigInt64LE(value, offset + place * 8)
    })
  }
  const lastPage = (words: readonly bigint[]): number => {
    for (let place = Number(words[0]); place > 0; place -= 1) {
      if ((words[place] ?? 0n) > 0n && (words[place - 1] ?? 0n) >= 0n) return place
    }
    throw new Error('no single page is listed')
  }

  test('that names a page in use is found', () => {
    const used = usedPage(sound)
    const path = change('live', (words) => [lastPage(words), BigInt(used)])
    expect(findingsOf(path)).toContain(`free-list-damaged: page ${used} is in use, and listed as free`)
  })

  test('that names a page twice, a meta page or none of the file is found', () => {
    const twice = change('twice', (words) => {
      const place = lastPage(words)
      return [place, words.find((word, other) => other > 0 && other !== place && word > 0n) ?? 0n]
    })
    expect(findingsOf(twice)).toEqual([expect.stringContaining('is listed as free twice')])
    const meta = change('meta', (words) => [lastPage(words), 1n])
    expect(findingsOf(meta)).toEqual([expect.stringContaining('page 1 is a meta page')])
    const outside = change('outside', (words) => [lastPage(words), 1n << 40n])
    expect(findingsOf(outside)).toEqual([expect.stringContaining('the last page of the file is')])
  })

  test('with a count that is too high or too low is found', () => {
    const high = change('high', (words) => [0, BigInt(words.length + 8)])
    expect(findingsOf(high)).toEqual([expect.stringContaining('there is room for')])
    const low = change('low', () => [0, 0n])
    expect(findingsOf(low)).toEqual([expect.stringContaining('neither in use nor listed as free')])
  })

  test('that leaves pages out is a finding and keeps nobody from using the file', () => {
    const [newest] = metasOf(readFileSync(sound))
    if (newest === undefined) throw new Error('no meta pages')
    const path = damaged('longer', (bytes) => {
      const offset = newest.page * PAGE_BYTES + LAST_PAGE_OFFSET
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(offset) + 4n, offset)
    })
    const last = Number(readFileSync(sound).readBigUInt64LE(newest.page * PAGE_BYTES + LAST_PAGE_OFFSET))
    expect(findingsOf(path)).toEqual([
      `free-list-short: 4 pages are neither in use nor listed as free, the first is page ${last + 1}`,
    ])
    const place = join(path, '..')
    const { status, stdout } = inspect(place, 'check', path, '--output', 'json')
    const { findings, stores } = JSON.parse(stdout) as { findings: unknown[]; stores: unknown[] }
    expect({ status, findings, stores }).toMatchObject({
      status: 1,
      findings: [{ rule: 'free-list-short', fix: expect.stringContaining('compact') }],
      stores: [{ readable: true }],
    })
    copyFileSync(path, join(place, 'copy.db'))
    for (const command of [
      ['restore', 'copy.db', 'restored.db'],
      ['repair', path, 'repaired.db'],
      ['compact', path, 'compacted.db'],
    ])
      expect({ command, ...inspect(place, ...command) }).toMatchObject({ stderr: '', status: 0 })
    expect(inspect(place, 'backup', path, 'backup.db')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('only after it was compacted'),
    })
    expect(findingsOf(join(place, 'repaired.db'))).toEqual([])
    expect(findingsOf(join(place, 'compacted.db'))).toEqual([])
  })
})

test('a table that is not marked as one, or has flags, is found, and its rows are read', () => {
  const start = rootOfTables(sound) * PAGE_BYTES
  const key = start + readFileSync(sound).subarray(start).indexOf('feed\0')
  const unmarked = damaged('unmarked', (bytes) => bytes.writeUInt16LE(0, key - NODE_FLAGS_BEFORE_KEY))
  expect(findingsOf(unmarked)).toEqual(['page-damaged: the row of the table feed is not marked as one'])
  expect(rowsOf(unmarked)).toEqual(rowsOf(sound))
  const reversed = damaged('reversed', (bytes) => bytes.writeUInt16LE(2, key + 'feed\0'.length + TREE_FLAGS))
  expect(findingsOf(reversed)).toEqual(['page-damaged: the row of the table feed has the flags 0x2'])
  expect(rowsOf(reversed)).toEqual(rowsOf(sound))
})

function rootOfTables(path: string): number {
  const file = new DataFile(path)
  try {
    const commit = findCommit(file)
    return typeof commit === 'string' ? 0 : (commit.meta.mainTree.root ?? 0)
  } finally {
    file.close()
  }
}

describe('no healthy store has a finding', () => {
  const key = (number: number): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(number))
    return bytes
  }

  function hold(path: string): ChildProcess {
    return spawn(process.execPath, [holding, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  }

  for (const [number, valueBytes] of [200, 3_000, 20_000].entries()) {
    const seed = SEED + number
    test(`after loads of values of up to ${valueBytes} bytes, beside a reader too (seed ${seed})`, async () => {
      const below = randomBelow(seed)
      const path = place(`load-${valueBytes}`)
      const many = Math.min(1_500, Math.floor(6_000_000 / valueBytes))
      let [head, tail] = [0, 0]
      for (let opening = 0; opening < (IS_LONG ? 20 : 2); opening += 1) {
        const kv = await openLmdbKv({ path, tables: STORE_TABLES })
        const reader = opening === 1 ? hold(path) : null
        if (reader?.stdout) await once(reader.stdout, 'data')
        for (let round = 0; round < (IS_LONG ? 60 : 4); round += 1) {
          const what = below(4)
          const rows = 1 + below(many)
          await Promise.all(
            Array.from({ length: 1 + below(4) }, () =>
              kv.write((transaction) => {
                for (let row = 0; row < rows; row += 1) {
                  const value = Buffer.alloc(1 + below(valueBytes), round)
                  if (what === 0) transaction.put('outbox', key(tail++), value)
                  else if (what === 1 && head < tail) transaction.remove('outbox', key(head++))
                  else if (what === 2) transaction.put('jobs', key(below(3_000)), value)
                  else transaction.remove('jobs', key(below(3_000)))
                }
              }),
            ),
          )
        }
        if (reader !== null) {
          reader.stdin?.end()
          await once(reader, 'close')
        }
        await kv.capabilities.backup?.(join(path, `../copy-${opening}.db`))
        if (opening === 2) await kv.capabilities.rewrite?.({})
        await kv.close()
        expect(findingsOf(path)).toEqual([])
        expect(findingsOf(join(path, `../copy-${opening}.db`))).toEqual([])
      }
    })
  }

  test('new, with executions, copied and written to, or of a node that was killed', async () => {
    const empty = place('new')
    await (await openLmdbJobStore({ path: empty })).close()
    expect(findingsOf(empty)).toEqual([])
    expect(findingsOf(sound)).toEqual([])
    const executions = place('executions')
    await writeFullExecutionStore(executions)
    expect(findingsOf(executions)).toEqual([])
    const copied = place('copied-and-written')
    copyFileSync(sound, copied)
    for (let round = 0; round < (IS_LONG ? 50 : 2); round += 1) {
      const writer = await startWriter(copied, 'busy', round)
      const begin = newestOf(copied)
      await expect.poll(() => newestOf(copied) - begin > 40n, { timeout: 60_000 }).toBe(true)
      await writer.kill()
      expect(findingsOf(copied)).toEqual([])
    }
  })
})
