import { newId } from '@saltcod/store-core'
import { repeat } from '../callers.mjs'
import { median } from '../rounds.mjs'
import { openOurExecutions, openPeerExecutions } from '../stores.mjs'
import { computeExecutionRequest } from '../workload.mjs'

const SMALL = 1_000
const OPENINGS = 5

/** Opens a compute store until it can serve with counts by state: the peer decodes every row for that. */
export const openRows = [
  {
    name: 'open',
    work: 'open a store, with counts: large store / 1,000 executions',
    unit: 'x',
    required: { atMost: 1.5 },
    compares: 'growth',
    peer: (bench) => growth(bench, 'peer', bench.peerLarge, fillPeer, openPeer),
    ours: (bench) => growth(bench, 'ours', bench.large, fillOurs, openOurs),
  },
]

async function growth(bench, name, large, fill, open) {
  await fill(bench, 'small', SMALL)
  await fill(bench, 'large', large)
  const times = { small: 0, large: 0 }
  return {
    async measure() {
      for (const size of ['small', 'large']) {
        const openings = []
        for (let n = 0; n < OPENINGS; n += 1) openings.push(await open(bench, size))
        times[size] = median(openings)
      }
      return times.large / times.small
    },
    note: () =>
      `${name}: ${(times.small * 1_000).toFixed(1)} ms with ${SMALL} executions, ${(times.large * 1_000).toFixed(1)} ms with ${large}`,
    close: async () => undefined,
  }
}

async function fillPeer(bench, size, count) {
  const peer = await openPeerExecutions(bench, size)
  await peer.request('fill', { count })
  await peer.stop()
}

async function openPeer(bench, size) {
  const peer = await openPeerExecutions(bench, size)
  await peer.stop()
  return peer.openSeconds
}

async function fillOurs(bench, size, count) {
  const store = await openOurExecutions(bench, size)
  await repeat(count, 512, () => store.createExecution(computeExecutionRequest(newId('e'), newId('j'))))
  await store.close()
}

async function openOurs(bench, size) {
  const start = performance.now()
  const store = await openOurExecutions(bench, size)
  await store.counts()
  const seconds = (performance.now() - start) / 1_000
  await store.close()
  return seconds
}
