import { callsPerSecond } from '../callers.mjs'
import { openOurJobs, openPeerJobs, peerThroughput } from '../stores.mjs'
import { jobRequest } from '../workload.mjs'

/** Creates a job alone: no evaluation. */
export const createRows = [createRow(64, { atLeast: 12 }), createRow(1, { atLeast: 1 })]

function createRow(callers, required) {
  return {
    name: `create-${callers}`,
    work: `create a job alone, ${callers} caller${callers === 1 ? '' : 's'}`,
    unit: '/s',
    required,
    peer: async (bench) => peerThroughput(await openPeerJobs(bench), 'create', callers, bench),
    async ours(bench) {
      const store = await openOurJobs(bench)
      const measure = (seconds) => callsPerSecond(callers, seconds, () => store.submitJob(jobRequest(null)))
      return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => store.close() }
    },
  }
}
