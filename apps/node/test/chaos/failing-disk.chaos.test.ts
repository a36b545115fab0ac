import { join } from 'node:path'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { FAILING_DISK, preloadLibrary } from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { randomBelow } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { AttackedNode } from './attacked-node.ts'
import { noopJob } from './chaos-jobs.ts'
import { checkStores, storePaths } from './stores-of.ts'

const SEED = testSeed()
const LIVES = IS_LONG ? 200 : 4
/**
 * A life in which it does some work, two that end as its sides find each other, one that ends as the job store is
 * opened, and one that ends before that.
 */
const FIRST_POSITIONS = [40, 3, 4, 2, 1]
/** Some jobs have so many commits, and those of a start are the first of them. */
const MAX_POSITION = 80
const CALLERS = 3

/** One life of a node until its disk fails: returns the jobs that it took, and those that it said were completed. */
async function live(node: AttackedNode, name: string): Promise<string[]> {
  const taken: string[] = []
  node.spawn()
  // It may fail as it starts.
  if ((await node.url().catch(() => null)) === null) return taken
  const caller = async (number: number): Promise<void> => {
    for (let job = 0; ; job += 1) {
      const id = await node.submit(noopJob('batch', `${name}-${number}-${job}`, 0)).catch(() => null)
      if (id === null) return
      taken.push(id)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)))
  return taken
}

test(`wherever the write of a meta page fails, ${LIVES} times, a node ends with 74, starts again, and has all that it took (seed ${SEED})`, {
  timeout: 60_000 + LIVES * 30_000,
}, async ({ skip }) => {
  const library = preloadLibrary(FAILING_DISK, temporaryDirectory())
  if (library === undefined) {
    skip('there is no gcc to build the library that lets the disk fail')
    return
  }
  const below = randomBelow(SEED)
  const repository = join(temporaryDirectory(), 'repo')
  const taken: string[] = []
  let served = 0
  for (let life = 0; life < LIVES; life += 1) {
    const position = FIRST_POSITIONS[life] ?? 1 + below(MAX_POSITION)
    const environment = { LD_PRELOAD: library, FAILING_META: String(position) }
    const node = new AttackedNode(repository, [], {}, environment)
    const took = await live(node, `life-${life}`)
    const place = `seed ${SEED}, life ${life}, position ${position}`
    expect(await node.ended, `${place}: ${node.log.slice(-2_000)}`).toEqual({ code: 74, signal: null })
    if (took.length > 0) served += 1
    taken.push(...took)
  }
  const healthy = new AttackedNode(repository)
  await healthy.start()
  for (const id of taken) await healthy.until(id, 'Completed')
  expect(await healthy.signal('SIGTERM')).toEqual({ code: 0, signal: null })
  await checkStores(repository)
  const store = await openLmdbJobStore({ path: storePaths(repository).jobs, readOnly: true })
  const { quarantined } = await store.info()
  await store.close()
  expect(quarantined).toBe(0)
  process.stderr.write(
    `failed meta pages of a node: ${JSON.stringify({ seed: SEED, served, jobs: taken.length })}\n`,
  )
  expect(served).toBeGreaterThan(0)
})
