import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { Network } from './network.ts'
import { networkJob, PASSING_KINDS } from './network-jobs.ts'

/** With `SALTCOD_TLS` all nodes join by a token and speak TLS, else those of every other seed. */
const isGuarded = (seed: number): boolean => process.env['SALTCOD_TLS'] !== undefined || seed % 2 === 1
const SEED = testSeed()
const SEEDS = IS_LONG ? Array.from({ length: 10 }, (_, index) => SEED + index) : [SEED]
const JOBS = IS_LONG ? 500 : 12
const STRIKES = IS_LONG ? 60 : 4
const PACE = IS_LONG
  ? { cutMs: [1_000, 60_000] as const, silentAfter: '3s', lostAfter: '30s', settleMs: 600_000 }
  : { cutMs: [200, 1_500] as const, silentAfter: '1s', lostAfter: '1500ms', settleMs: 90_000 }
const NODES = 3

test.each(SEEDS)(
  'jobs end where they should while processes die and cables are cut, seed %i',
  { timeout: IS_LONG ? 7_200_000 : 240_000 },
  async (seed) => {
    const random = randomNumbers(seed)
    const network = new Network(temporaryDirectory(), NODES, PACE, random, isGuarded(seed))
    const where = (): string => `seed ${seed}: ${network.events.join('; ')}`
    await network.start()
    await network.submit(networkJob('serving', 'serving', network.marks, random))
    await network.submit(networkJob('present', 'present', network.marks, random))
    const over = { jobs: false }
    const submitting = (async () => {
      for (let number = 0; number < JOBS; number += 1) {
        const kind = PASSING_KINDS[number % PASSING_KINDS.length] ?? ''
        const job = networkJob(kind, `job-${number}`, network.marks, random)
        await eventually(`the requester takes ${job.name}`, () =>
          network.submit(job).then(
            () => true,
            () => false,
          ),
        )
        await delay(random() * (IS_LONG ? 400 : 200))
      }
      over.jobs = true
    })()
    for (let strike = 0; strike < STRIKES || !over.jobs; strike += 1) {
      network.strike()
      await delay(random() * (IS_LONG ? 6_000 : 600))
    }
    await submitting
    const found = await network.settle()
    if (IS_LONG) process.stdout.write(`${where()}\n${network.verdict.figures()}\n`)
    expect(found, `${where()}\n${found.join('\n')}`).toEqual([])
  },
)
