import { type DiskImage, PowerCutDisk, type RecordedStep, type Survival } from '@saltcod/store-testing/crash'
import type { Acknowledged } from './cut-node.ts'
import type { RecordedNode } from './recorded-node.ts'

/** One moment at which the power fails, and one way in which the disk is left. */
export interface Cut {
  readonly image: DiskImage
  readonly acknowledged: readonly Acknowledged[]
  /** Where it was, for a person who looks for it. */
  readonly place: string
}

/** What the record is about: the archive, the stores, or all else. */
function placeOf({ path }: RecordedStep): 'stores' | 'archive' | 'others' {
  if (path.startsWith('history')) return 'archive'
  return /\.db(-lock)?$/.test(path) ? 'stores' : 'others'
}

/**
 * Yields about so many images: a third spread over what is done to stores, one over the little that is done to the
 * archive, one over all else.
 */
export function* cuts(
  { record, found, acknowledged }: RecordedNode,
  wanted: number,
  random: () => number,
): Generator<Cut> {
  const chance = (share: number) => (): boolean => random() < share
  const survivals: readonly Survival[] = [
    { change: () => true, block: () => true },
    { change: () => false, block: () => false },
    { change: chance(0.5), block: () => false },
    { change: chance(0.9), block: chance(0.5) },
    { change: chance(0.3), block: chance(0.8) },
  ]
  const steps = { stores: 0, archive: 0, others: 0 }
  const counting = new PowerCutDisk(record, found)
  for (let step = counting.step(); step !== undefined; step = counting.step()) {
    steps[placeOf(step)] += 1
  }
  const disk = new PowerCutDisk(record, found)
  for (let number = 0, step = disk.step(); step !== undefined; number += 1, step = disk.step()) {
    const share = wanted / 3 / steps[placeOf(step)] / survivals.length
    for (const [which, survival] of survivals.entries()) {
      // Where so few records are about a place, each is cut more than once.
      for (let rest = share; rest > 0; rest -= 1) {
        if (random() >= rest) continue
        const known = acknowledged.filter(({ at }) => at <= disk.at)
        const place = `record ${number} (${step.what} ${step.names.join(' ')}: ${step.path}), survival ${which}`
        yield { image: disk.image(survival), acknowledged: known, place }
      }
    }
  }
}
