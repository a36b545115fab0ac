import { callsPerSecond } from '../callers.mjs'
import { openOurJobs, openPeerJobs, peerThroughput } from '../stores.mjs'
import { jobRequest } from '../workload.mjs'

/** Creates a job and its first evaluation: one transaction here, two for the peer. */
export const submitRows = [submitRow(64, { atLeast: 18 }), submitRow(1, { atLeast: 1.8 })]

function submitRow(callers, required) {
  return {
    name: `submit-${callers}`,
    work: `submit = job + evaluation, ${callers} caller${callers === 1 ? '' : 's'}`,
    unit: '/s',
    required,
    peer: async (bench) => peerThroughput(await openPeerJobs(bench), 'submit', callers, bench),
    async ours(bench) {
      const store = await openOurJobs(bench)
      const measure = (seconds) => callsPerSecond(callers, seconds, () => store.submitJob(jobRequest()))
      return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => store.close() }
    },
  }
}
