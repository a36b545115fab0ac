import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { DataFile, findCommit, readReaders } from '@saltcod/store-lmdb/file'
import { beforeAll, expect, test, vi } from 'vitest'
import { IS_LONG } from '../../../test/seed.ts'
import { sharedDirectory } from '../../../test/temporary-directory.ts'
import { writeFullJobStore } from './full-store.ts'

// Each run of the program is a process of its own, and a busy machine has little time for it.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const CHANGES = IS_LONG ? 5_000 : 500
const rewriter = fileURLToPath(new URL('rewriting-process.mjs', import.meta.url))
const holding = fileURLToPath(new URL('holding-process.mjs', import.meta.url))
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const directory = sharedDirectory()
let original: string

beforeAll(async () => {
  original = join(directory, 'original', 'jobs.db')
  await writeFullJobStore(original)
})

interface Rewritten {
  readonly usedPages: number
  readonly durationMs: number
}

/** Rewrites a copy of the store while a company of readers looks on. */
async function rewrite(
  name: string,
  beside: (path: string) => Promise<() => Promise<void>>,
): Promise<Rewritten> {
  const path = join(directory, name, 'jobs.db')
  mkdirSync(join(path, '..'))
  copyFileSync(original, path)
  const leave = await beside(path)
  const writer = start(rewriter, path, String(CHANGES))
  const [printed] = await Promise.all([text(writer.stdout ?? never()), once(writer, 'close')])
  expect(writer.exitCode).toBe(0)
  await leave()
  const file = new DataFile(path)
  const commit = findCommit(file)
  file.close()
  if (typeof commit === 'string') throw new Error(commit)
  return { usedPages: commit.meta.lastPage + 1, durationMs: Number(printed) }
}

function start(program: string, ...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}

function never(): never {
  throw new Error('the process has no output')
}

async function nobody(): Promise<() => Promise<void>> {
  return async () => undefined
}

/** Somebody who follows the changes, and somebody who dumps the store over and over. */
async function onlookers(path: string): Promise<() => Promise<void>> {
  const follower = spawn(
    process.execPath,
    [main, 'changes', path, '--follow', '--since', '1d', '--output', 'ndjson'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let followed = 0
  const lines = createInterface({ input: follower.stdout })
  lines.on('line', () => {
    followed += 1
  })
  await once(lines, 'line')
  let ended = false
  let dumps = 0
  const dumping = (async () => {
    while (!ended) {
      const dump = spawn(process.execPath, [main, 'dump', path, '--all', '--output', 'ndjson'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      await once(dump, 'close')
      expect(dump.exitCode).toBe(0)
      dumps += 1
    }
  })()
  return async () => {
    ended = true
    await dumping
    follower.kill('SIGTERM')
    await once(follower, 'close')
    expect(dumps).toBeGreaterThan(0)
    expect(followed).toBeGreaterThan(CHANGES)
    const readers = readReaders(path)?.readers ?? []
    expect(readers.filter(({ transaction }) => transaction !== null)).toEqual([])
  }
}

async function holder(path: string): Promise<() => Promise<void>> {
  const child = start(holding, path)
  await once(child.stdout ?? never(), 'data')
  return async () => {
    child.stdin?.end()
    await once(child, 'close')
  }
}

test('looking on does not make the file grow, as a held snapshot does', async () => {
  const alone = await rewrite('alone', nobody)
  const held = await rewrite('held', holder)
  // Beyond what it needs alone, the writer may be kept from the pages of a read of some milliseconds.
  const mostPages = alone.usedPages + (held.usedPages - alone.usedPages) / 5
  let watched = await rewrite('watched', onlookers)
  // A reader that a busy machine lets wait keeps its pages for as long; one that holds them on does so every time.
  for (let again = 1; again <= 2 && watched.usedPages >= mostPages; again += 1)
    watched = await rewrite(`watched-${again}`, onlookers)
  if (IS_LONG) {
    const rate = ({ durationMs }: Rewritten): string =>
      `${Math.round(CHANGES / (durationMs / 1_000))} changes/s`
    process.stderr.write(
      `alone ${rate(alone)}, watched ${rate(watched)}: ${(watched.durationMs / alone.durationMs).toFixed(2)} times as long; pages ${alone.usedPages}, ${watched.usedPages}, held ${held.usedPages}\n`,
    )
  }
  expect(watched.usedPages).toBeLessThan(mostPages)
})
