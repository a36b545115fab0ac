import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DiskImage,
  PowerCutDisk,
  preloadLibrary,
  RECORDING_DISK,
  type Survival,
} from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { renewOwnerNotes } from '../../../test/owner-notes.ts'
import { randomNumbers } from '../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { openLmdbKv } from '../src/index.ts'
import { StoreProcess } from './store-process.ts'

/** So many images of a normal run; a long one opens all. */
const IMAGES = IS_LONG ? Number.POSITIVE_INFINITY : 30
/** Records before the exchange of files and after it that are looked at too. */
const MARGIN = 40
const TABLES = ['alpha', 'beta']

/** What a power cut may leave, and what had been said by then. */
interface Image {
  readonly disk: DiskImage
  readonly kept: readonly number[]
  readonly refused: readonly number[]
  readonly after: string
}

const SEED = testSeed()
const random = randomNumbers(SEED)

const SUBSETS: readonly Survival[] = [
  { change: () => true, block: () => true },
  { change: () => false, block: () => false },
  { change: () => random() < 0.5, block: () => false },
  { change: () => random() < 0.9, block: () => random() < 0.5 },
]

/** Returns numbers of the records in which files are exchanged, with a margin. */
function stretch(record: string): { from: number; to: number } {
  const disk = new PowerCutDisk(record)
  let from = 0
  let to = 0
  for (let at = 0, step = disk.step(); step !== undefined; at += 1, step = disk.step()) {
    const marker = step.names.includes('jobs.db.rewrite-swap')
    if (marker && from === 0) from = at
    if (marker) to = at
  }
  return { from: from - MARGIN, to: to + MARGIN }
}

/** Every image between those records, or so many of them at random. */
function* images(record: string): Generator<Image> {
  const { from, to } = stretch(record)
  const share = Math.min(1, IMAGES / ((to - from) * SUBSETS.length))
  const disk = new PowerCutDisk(record)
  let said = ''
  for (let at = 0, step = disk.step(); step !== undefined && at < to; at += 1, step = disk.step()) {
    said += step.said
    if (at < from) continue
    const lines = said.split('\n').slice(0, -1)
    const idsOf = (word: string): number[] =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.split(' ')[1]))
    for (const survival of SUBSETS) {
      if (random() > share) continue
      const after = [step.what, ...step.names].join(' ')
      yield { disk: disk.image(survival), kept: idsOf('kept'), refused: idsOf('refused'), after }
    }
  }
}

/** Opens an image, compares it with what had been said, and returns what the opening had to tell. */
async function openImage(parent: string, { disk, kept, refused, after }: Image): Promise<string[]> {
  const directory = mkdtempSync(join(parent, 'image-'))
  const path = join(directory, 'jobs.db')
  // As if it had been closed in good order, so that only what the rewrite left makes a child check the file.
  disk.write(directory)
  renewOwnerNotes(directory, disk, true)
  const notices: string[] = []
  const options = {
    path,
    tables: TABLES,
    onNotice: ({ message }: { message: string }) => notices.push(message),
  }
  const store = await openLmdbKv(options)
  const ids = new Set(
    store
      .read((snapshot) => snapshot.keys('alpha', { limit: 10_000 }))
      .map((key) => Number(Buffer.from(key))),
  )
  const lost = kept.filter((id) => !ids.has(id))
  const ghosts = refused.filter((id) => ids.has(id))
  const left = readdirSync(directory).filter((name) => !/^jobs\.db(-lock|\.owner)?$/.test(name))
  expect({ after, lost, ghosts, left }).toEqual({ after, lost: [], ghosts: [], left: [] })
  await store.write((transaction) => {
    transaction.put('beta', Buffer.from('after'), Buffer.from('the cut'))
  })
  await store.close()
  rmSync(directory, { recursive: true })
  return notices
}

test(`a power cut at any moment of an exchange of files leaves one good store (seed ${SEED})`, {
  timeout: IS_LONG ? 3_600_000 : 120_000,
}, async ({ skip }) => {
  const parent = temporaryDirectory()
  const library = preloadLibrary(RECORDING_DISK, parent)
  if (library === undefined) {
    skip('there is no gcc to build the library that records what is written')
    return
  }
  const recorded = join(parent, 'recorded')
  mkdirSync(recorded)
  const record = join(parent, 'record')
  const writer = new StoreProcess('rewrite', join(recorded, 'jobs.db'), {
    environment: { LD_PRELOAD: library, RECORD: record, RECORDED_DIRECTORY: recorded },
  })
  await writer.line('rewritten')
  const before = writer.lines.length
  await writer.count(before + MARGIN)
  await writer.kill()
  const notices: string[] = []
  let opened = 0
  for (const image of images(record)) {
    notices.push(...(await openImage(parent, image)))
    opened += 1
  }
  expect(opened).toBeGreaterThan(20)
  const ends = ['had not taken effect', 'is whole and was kept'].map((words) =>
    notices.some((notice) => notice.includes(words)),
  )
  expect(ends).toEqual([true, true])
  expect(notices.filter((notice) => notice.includes('was put back'))).toEqual([])
})
