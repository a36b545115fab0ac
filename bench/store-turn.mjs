import { applyRetention } from '@saltcod/compaction'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { repeat } from './callers.mjs'
import { median } from './rounds.mjs'
import { smallJobRequest } from './workload.mjs'

/** What is timed, in the order of the turn. */
export const OPERATIONS = ['open', 'page', 'submit', 'claim', 'gc']

const OPENINGS = 5
const PAGES = 50
const PAGE = { namespace: 'default', limit: 100, reverse: true }
const CYCLES = 10
/** As many as are submitted are then worked on and as many removed, so that the store is as large as before. */
const CYCLE = 100
const CALLERS = 64

/**
 * Opens a store of small jobs and works on it. Returns the milliseconds of each operation: an opening with exact
 * counts, a page of the 100 newest jobs, a submit and a claim with 64 callers, and the removal of one finished job by
 * retention.
 */
export async function measureStore(path) {
  const openings = []
  for (let n = 0; n < OPENINGS; n += 1) openings.push(await openingMs(path))
  const store = await openLmdbJobStore({ path })
  try {
    const pageMs = await timed(() => repeat(PAGES, 1, () => store.listJobs(PAGE)))
    const sums = { submit: 0, claim: 0, gc: 0 }
    for (let n = 0; n < CYCLES; n += 1) {
      sums.submit += await timed(() => repeat(CYCLE, CALLERS, () => store.submitJob(smallJobRequest())))
      const claims = []
      sums.claim += await timed(() => repeat(CYCLE, CALLERS, async () => claims.push(await claim(store))))
      await Promise.all(claims.map(({ lease }) => store.applyPlan({ lease, job: { to: 'Completed' } })))
      const finished = await countFinished(store)
      sums.gc += await timed(() => removeOldest(store, finished))
    }
    const each = (sumMs) => sumMs / (CYCLES * CYCLE)
    return {
      open: median(openings),
      page: pageMs / PAGES,
      submit: each(sums.submit),
      claim: each(sums.claim),
      gc: each(sums.gc),
    }
  } finally {
    await store.close()
  }
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function openingMs(path) {
  const start = performance.now()
  const store = await openLmdbJobStore({ path })
  await store.counts()
  const ms = performance.now() - start
  await store.close()
  return ms
}

async function claim(store) {
  const claimed = await store.claimEvaluation({ holder: 'bench', leaseMs: 60_000 })
  if (claimed === null) throw new Error('there is nothing to claim')
  return claimed
}

async function countFinished(store) {
  const counts = await store.counts({ kind: 'job' })
  return counts.find(({ state }) => state === 'Completed').records
}

async function removeOldest(store, finished) {
  const rules = [{ maxCount: finished - CYCLE }]
  const { removed } = await applyRetention(store, rules, {
    feed: { maxBytes: 0 },
    evaluationsOlderThanMs: 0,
  })
  if (removed !== CYCLE) throw new Error(`${removed} jobs were removed and not ${CYCLE}`)
}
