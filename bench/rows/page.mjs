import { callsPerSecond, repeat } from '../callers.mjs'
import { openOurJobs, openPeerJobs } from '../stores.mjs'
import { jobRequest } from '../workload.mjs'

const SMALL = 1_000
const PAGE = { namespace: 'default', limit: 100, reverse: true }

/** Lists the 100 newest jobs of a namespace: how much longer that takes in a large store than in a small one. */
export const pageRows = [
  {
    name: 'page',
    work: 'a page of 100 jobs, newest first: large store / 1,000 jobs',
    unit: 'x',
    required: { atMost: 1.5 },
    compares: 'growth',
    peer: (bench) => growth(bench, bench.peerLarge, peerStore),
    ours: (bench) => growth(bench, bench.large, ourStore),
  },
]

async function growth(bench, large, open) {
  const stores = { small: await open(bench, 'small', SMALL), large: await open(bench, 'large', large) }
  const times = { small: 0, large: 0 }
  return {
    async measure() {
      for (const size of ['small', 'large'])
        times[size] = 1_000 / (await stores[size].pagesPerSecond(bench.seconds / 2))
      return times.large / times.small
    },
    note: () =>
      `${stores.small.name}: ${times.small.toFixed(3)} ms with ${SMALL} jobs, ${times.large.toFixed(3)} ms with ${large}`,
    async close() {
      await stores.small.close()
      await stores.large.close()
    },
  }
}

async function peerStore(bench, size, count) {
  const peer = await openPeerJobs(bench, size)
  await peer.request('fill', { count })
  return {
    name: 'peer',
    pagesPerSecond: async (seconds) => (await peer.request('page', { seconds })).perSecond,
    close: () => peer.stop(),
  }
}

async function ourStore(bench, size, count) {
  const store = await openOurJobs(bench, size)
  await repeat(count, 512, () => store.submitJob(jobRequest(null)))
  return {
    name: 'ours',
    pagesPerSecond: (seconds) => callsPerSecond(1, seconds, () => page(store)),
    close: () => store.close(),
  }
}

async function page(store) {
  const { items } = await store.listJobs(PAGE)
  if (items.length !== PAGE.limit) throw new Error(`the page has ${items.length} jobs`)
}
