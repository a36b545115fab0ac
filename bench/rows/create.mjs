import { callsPerSecond } from '../callers.mjs'
import { openOurJobs, openPeerJobs, peerThroughput } from '../stores.mjs'
import { jobRequest } from '../workload.mjs'

/** What is required of the ratio to the peer, by the number of callers. */
const REQUIRED = { 64: { atLeast: 12 }, 1: { atLeast: 1 } }

/** Creates a job alone: no evaluation. */
export function createRow(callers) {
  return {
    name: `create-${callers}`,
    work: `create a job alone, ${callers} caller${callers === 1 ? '' : 's'}`,
    unit: '/s',
    callers,
    required: REQUIRED[callers] ?? null,
    durable: 'the job and its first history entry, before the answer',
    peer: async (bench) => peerThroughput(await openPeerJobs(bench), 'create', callers, bench),
    async ours(bench) {
      const store = await openOurJobs(bench)
      const measure = (seconds) => callsPerSecond(callers, seconds, () => store.submitJob(jobRequest(null)))
      return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => store.close() }
    },
  }
}
