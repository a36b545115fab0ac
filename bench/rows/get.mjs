import { callsPerSecond, repeat } from '../callers.mjs'
import { openOurJobs, openPeerJobs, peerThroughput } from '../stores.mjs'
import { jobRequest } from '../workload.mjs'

const JOBS = 10_000

/** What is required of the ratio to the peer, by the number of callers. */
const REQUIRED = { 64: { atLeast: 1.5 }, 1: { atLeast: 2 } }

/** Gets jobs by id, in random order, from a store that fits into memory. */
export function getRow(callers) {
  return {
    name: `get-${callers}`,
    work: `get a job by id, ${JOBS.toLocaleString('en')} jobs, ${callers} caller${callers === 1 ? '' : 's'}`,
    unit: '/s',
    callers,
    required: REQUIRED[callers] ?? null,
    durable: 'nothing is written',
    async peer(bench) {
      const peer = await openPeerJobs(bench)
      await peer.request('fill', { count: JOBS })
      return peerThroughput(peer, 'get', callers, bench)
    },
    async ours(bench) {
      const store = await openOurJobs(bench)
      const ids = []
      await repeat(JOBS, 512, async () => ids.push((await store.submitJob(jobRequest(null))).job.id))
      const get = () => store.getJob(ids[Math.floor(Math.random() * ids.length)])
      const measure = (seconds) => callsPerSecond(callers, seconds, get)
      return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => store.close() }
    },
  }
}
