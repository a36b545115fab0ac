import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { type Leaf, Network } from './network.ts'
import { networkJob } from './network-jobs.ts'

const SEED = testSeed()
const PACE = { cutMs: [200, 1_500], silentAfter: '2s', lostAfter: '4s', settleMs: 120_000 } as const
const KINDS = ['short', 'longer', 'guest', 'failing', 'everywhere', 'writing']
const JOBS = IS_LONG ? 120 : 3
const TIMEOUT_MS = IS_LONG ? 1_800_000 : 240_000

/** A network of two nodes at work, and how more work comes to it. */
async function world() {
  const random = randomNumbers(SEED)
  const network = new Network(temporaryDirectory(), 2, PACE, random)
  await network.start()
  let number = 0
  const work = async (): Promise<void> => {
    for (let count = 0; count < JOBS; count += 1) {
      const kind = KINDS[number % KINDS.length] ?? ''
      const job = networkJob(kind, `job-${number}`, network.marks, random)
      number += 1
      await eventually(`the requester takes ${job.name}`, () =>
        network.submit(job).then(
          () => true,
          () => false,
        ),
      )
      if (IS_LONG && random() < 0.1) network.strike()
      await delay(random() * 200)
    }
  }
  return { network, work, first: network.leaves[0] as Leaf }
}

/** What both sides differ in, but for what one of them cannot know any more. */
async function differences(network: Network, ...unknowable: readonly RegExp[]): Promise<string[]> {
  return (await network.settle()).filter((line) => !unknowable.some((pattern) => pattern.test(line)))
}

test.runIf(IS_LONG)(
  `a requester that is restored from a backup goes on with what its nodes have (seed ${SEED})`,
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    const { network, work } = await world()
    await work()
    await network.backUp()
    await work()
    await network.restore()
    await work()
    // What was submitted and begun after the backup is an orphan of its node, and done again.
    expect(await differences(network, /is on no record/, /the requester knows nothing of it/)).toEqual([])
    for (const { name, node } of network.leaves)
      await eventually(`${name} knows that its requester was restored`, () =>
        /has another store on purpose/.test(node.log),
      )
  },
)

test.runIf(IS_LONG)(
  `a node whose store was wiped begins anew, and its work is done again (seed ${SEED})`,
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    const { network, work, first } = await world()
    await work()
    await network.wipe(first)
    await work()
    expect(await differences(network, /on n-1: .*, but undefined undefined$/)).toEqual([])
  },
)

test.runIf(IS_LONG)(
  `of a node and its copy the later one is refused, and the first goes on (seed ${SEED})`,
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    const { network, work, first } = await world()
    await work()
    const copy = await network.copy(first)
    await work()
    await eventually(
      'the copy is refused',
      () => /two nodes have the id n-1, and both live/.test(copy.log),
      90_000,
    )
    // A requester that was just started hears of the copy when that comes again.
    await eventually('the requester tells of it', async () => {
      const answer = await network.requester.request('GET', 'orchestrator/nodes/n-1')
      return /the one that came later is refused/.test(await answer.text())
    })
    expect(first.node.log).not.toMatch(/two nodes have the id/)
    await work()
    expect(await differences(network)).toEqual([])
    await copy.kill()
  },
)
