import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DataFile, findCommit, TreeWalk, walkFile } from '@saltcod/store-lmdb/file'
import { expect, test, vi } from 'vitest'
import { sharedDirectory } from '../../../test/temporary-directory.ts'
import { writeFullExecutionStore, writeFullJobStore } from './full-store.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const fromDriver = createRequire(new URL('../../../packages/store-lmdb/package.json', import.meta.url))
const sources = join(dirname(fromDriver.resolve('lmdb')), '../dependencies/lmdb/libraries/liblmdb')
const hasCompiler = spawnSync('gcc', ['--version']).status === 0
/** As the package itself is built, with a way to find modules that its command-line programs want. */
const FLAGS = ['-O0', '-w', '-DMDB_MAXKEYSIZE=0', '-DMDB_USE_ROBUST', `-I${sources}`]
const FILES = ['mdb_stat.c', 'mdb.c', 'midl.c', 'chacha8.c', 'module.c']

const directory = sharedDirectory()

/** What LMDB's own program says of a file. */
interface Oracle {
  readonly usedPages: number
  readonly freePages: number
  /** Branch, leaf and overflow pages of all trees, of the names and of the list of free pages too. */
  readonly treePages: number
  readonly rows: Readonly<Record<string, number>>
}

function askOracle(program: string, path: string): Oracle {
  const { stdout, status } = spawnSync(program, ['-n', '-e', '-f', '-a', path], { encoding: 'utf8' })
  expect(status).toBe(0)
  const numbers = (label: string): number[] =>
    [...stdout.matchAll(new RegExp(`^ *${label}: (\\d+)$`, 'gm'))].map((match) => Number(match[1]))
  const sum = (label: string): number => numbers(label).reduce((all, number) => all + number, 0)
  const tables = stdout.matchAll(/^Status of (\w+)\n(?:.*\n){5} *Entries: (\d+)/gm)
  return {
    usedPages: sum('Number of pages used'),
    freePages: sum('Free pages'),
    treePages: sum('Branch pages') + sum('Leaf pages') + sum('Overflow pages'),
    rows: Object.fromEntries([...tables].map((match) => [match[1] ?? '', Number(match[2])])),
  }
}

/** The list of free pages as lmdb leaves it on disk. */
function freeList(path: string): number[] {
  const file = new DataFile(path)
  const commit = findCommit(file)
  if (typeof commit === 'string') throw new Error(commit)
  const { meta } = commit
  const events = { problem: () => undefined, lost: () => undefined }
  const walk = new TreeWalk(file, meta, new Uint8Array(meta.lastPage + 1), '(free pages)', events)
  const pages: number[] = []
  for (const { value } of walk.run(meta.freeTree)) {
    for (let place = 1; place <= Number(value.readBigUInt64LE(0)); place += 1) {
      pages.push(Number(value.readBigInt64LE(place * 8)))
    }
  }
  file.close()
  return pages
}

/** Takes the list apart: a negative number says how many pages begin at the next one, and zero is nothing. */
function pagesOf(listed: readonly number[]): number[] {
  const pages: number[] = []
  let length = 1
  for (const number of listed) {
    if (number < 0) length = -number
    else if (number > 0) {
      for (let page = number; page < number + length; page += 1) pages.push(page)
      length = 1
    }
  }
  return pages
}

test.skipIf(!hasCompiler)("the walk over the pages agrees with LMDB's own mdb_stat (needs gcc)", async () => {
  const program = join(directory, 'mdb_stat')
  const files = FILES.map((name) => join(sources, name))
  const built = spawnSync('gcc', [...FLAGS, '-o', program, ...files, '-lpthread', '-ldl'], {
    encoding: 'utf8',
  })
  expect({ status: built.status, stderr: built.stderr }).toEqual({ status: 0, stderr: '' })
  for (const [name, write] of [
    ['jobs', writeFullJobStore],
    ['executions', writeFullExecutionStore],
  ] as const) {
    const path = join(directory, name, 'store.db')
    await write(path)
    const problems: string[] = []
    const walk = walkFile(path, {
      problem: ({ message }) => void problems.push(message),
      lost: () => void problems.push('lost'),
    })
    const rows: Record<string, number> = {}
    let step = walk.next()
    for (; step.done !== true; step = walk.next()) rows[step.value.table] = (rows[step.value.table] ?? 0) + 1
    const walked = step.value
    if (walked === null) throw new Error(problems.join('; '))
    const oracle = askOracle(program, path)
    expect(problems).toEqual([])
    expect(walked.pages).toBe(oracle.usedPages)
    // The two meta pages belong to no tree.
    expect(walked.reachedPages).toBe(oracle.treePages + 2)
    const listed = freeList(path)
    expect(listed).toHaveLength(oracle.freePages)
    const free = pagesOf(listed)
    expect(free.filter((page) => page < 2 || walked.seen[page] === 1)).toEqual([])
    expect(walked.reachedPages + new Set(free).size).toBe(walked.pages)
    const filled = Object.entries(oracle.rows).filter(([, count]) => count > 0)
    expect(rows).toEqual(Object.fromEntries(filled))
  }
})
