import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { PidNamespaces } from '../../src/compute/keeper/pid-namespaces.ts'
import { KilledNode, type Victim } from './killed-node.ts'
import { checkStores } from './stores-of.ts'
import { KINDS, variedJob } from './varied-jobs.ts'

const SEED = testSeed()
const available = (await PidNamespaces.find({})) !== undefined

/** Each of them once before any of them twice. */
const VICTIMS: readonly Victim[] = [
  'all',
  'node',
  'keeper',
  'namespace',
  'program',
  'runner',
  'launcher',
  'keeper',
  'runner',
  'program',
]

interface Case {
  readonly isolate: boolean
  readonly kills: number
}
const CASES: readonly Case[] = [
  { isolate: true, kills: IS_LONG ? 200 : 3 },
  { isolate: false, kills: IS_LONG ? 100 : 1 },
]

/** Deals all of some things in a random order, again and again. */
function dealer<T>(things: readonly T[], random: () => number): () => T {
  let left: T[] = []
  return () => {
    if (left.length === 0) left = [...things]
    return left.splice(Math.floor(random() * left.length), 1)[0] as T
  }
}

test.each(CASES.filter(({ isolate }) => available || !isolate))(
  'of $kills kills of a node and its parts every run tells the truth, with namespaces: $isolate',
  {
    timeout: IS_LONG ? 7_200_000 : 300_000,
  },
  async ({ isolate, kills }) => {
    const random = randomNumbers(SEED + (isolate ? 0 : 1))
    const killed = new KilledNode(temporaryDirectory(), isolate, random)
    const { node } = killed
    const nextKind = dealer(KINDS, random)
    const nextVictim = dealer(VICTIMS, random)
    const where = `seed ${SEED}`

    await killed.start()
    for (let round = 0; round < kills; round += 1) {
      const jobs = [0, 1, 2, 3].map((number) =>
        variedJob(nextKind(), `job-${round}-${number}`, killed.surroundings, random),
      )
      // The last one may be under way at the moment of the kill: then nobody knows whether it was taken.
      const underWay = Promise.allSettled(jobs.map((job) => killed.submit(job)))
      if (random() < 0.7) await underWay
      await delay(random() * 900)
      const isGone = await killed.kill(nextVictim())
      await underWay
      if (isGone) await killed.revive()
      await killed.catchUp(0.3)
    }

    expect(await killed.settle(), where).toEqual([])
    expect(killed.kills.length, where).toBe(kills)
    await checkStores(node.repository)
    expect(await killed.differences(), where).toEqual([])
    expect(await killed.forget(), where).toEqual([])
    expect(await killed.stop(), where).toEqual([])
  },
)
