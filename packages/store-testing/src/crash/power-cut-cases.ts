import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import type { SeededRandom } from '../seeded-random.ts'
import { type CrashCase, type CrashCaseContext, NO_COMPILER } from './crash-case.ts'
import { KV_WRITER } from './kill-cases.ts'
import { LineProcess } from './line-process.ts'
import type { DiskImage } from './power-cut/disk-image.ts'
import { PowerCutDisk } from './power-cut/power-cut-disk.ts'
import type { Survival } from './power-cut/recorded-file.ts'
import { preloadLibrary, RECORDING_DISK } from './preload-library.ts'
import { WRITER_TABLES, WriterLedger } from './writer-ledger.ts'

/** So much the writer says before it is killed. */
const LINES = 300

/** Cases about a power cut, which leaves of what was not synced some and not the rest. */
export const powerCutCases: readonly CrashCase[] = [
  {
    name: 'a power cut at any moment leaves a store with all that was acknowledged, and nothing in part',
    run: async (context) => {
      const { module, directory: parent } = context
      const library = preloadLibrary(RECORDING_DISK, parent)
      if (library === undefined) return NO_COMPILER
      const recorded = join(parent, 'recorded')
      mkdirSync(recorded)
      const record = join(parent, 'record')
      const writer = new LineProcess([KV_WRITER, module.href, recorded], {
        environment: { LD_PRELOAD: library, RECORD: record, RECORDED_DIRECTORY: recorded },
      })
      await writer.count(LINES)
      await writer.kill()
      assert.ok(writer.lines.length >= LINES, `the writer ended by itself: ${writer.lines.join(' | ')}`)
      let opened = 0
      for (const { disk, said, place } of cuts(record, context)) {
        const ledger = new WriterLedger()
        ledger.note(said.split('\n').slice(0, -1))
        await openImage(context, disk, ledger, place)
        opened += 1
      }
      assert.ok(opened > context.images / 4, `only ${opened} images were opened`)
      return undefined
    },
  },
]

/** Ways in which a disk is left: all that was written, nothing that was not synced, and some of it. */
export function survivals(random: SeededRandom): readonly Survival[] {
  const chance = (part: number) => (): boolean => random.below(1_000) < part * 1_000
  return [
    { change: () => true, block: () => true },
    { change: () => false, block: () => false },
    { change: chance(0.5), block: () => false },
    { change: chance(0.9), block: chance(0.5) },
  ]
}

interface Cut {
  readonly disk: DiskImage
  readonly said: string
  readonly place: string
}

/** About so many images as are wanted, at random moments of a record. */
function* cuts(record: string, { images, random }: CrashCaseContext): Generator<Cut> {
  const ways = survivals(random)
  let steps = 0
  for (const counting = new PowerCutDisk(record); counting.step() !== undefined; ) steps += 1
  const share = Math.min(1, images / (steps * ways.length))
  const disk = new PowerCutDisk(record)
  let said = ''
  for (let step = disk.step(), number = 0; step !== undefined; step = disk.step(), number += 1) {
    said += step.said
    for (const [way, survival] of ways.entries()) {
      if (random.below(1_000_000) >= share * 1_000_000) continue
      const place = `record ${number} (${step.what} ${step.path}), survival ${way}`
      yield { disk: disk.image(survival), said, place }
    }
  }
}

async function openImage(
  { backend, directory: parent }: CrashCaseContext,
  disk: DiskImage,
  ledger: WriterLedger,
  place: string,
): Promise<void> {
  const directory = join(parent, 'image')
  mkdirSync(directory)
  disk.write(directory)
  backend.renew?.(directory, disk)
  try {
    const store = await backend.openKv(directory, WRITER_TABLES)
    try {
      ledger.compare(store, place)
      await store.write((transaction) => {
        transaction.put('beta', Buffer.from('after'), Buffer.from('the cut'))
      })
    } finally {
      await store.close()
    }
  } catch (error) {
    throw new Error(`${place}: ${(error as Error).message}`, { cause: error })
  }
  rmSync(directory, { recursive: true })
}
