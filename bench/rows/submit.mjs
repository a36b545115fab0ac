import { callsPerSecond } from '../callers.mjs'
import { openOurJobs, openPeerJobs, peerThroughput } from '../stores.mjs'
import { jobRequest } from '../workload.mjs'

/** What is required of the ratio to the peer, by the number of callers. */
const REQUIRED = { 64: { atLeast: 18 }, 1: { atLeast: 1.8 } }

/** Creates a job and its first evaluation: one transaction here and in SQLite, two for the peer. */
export function submitRow(callers) {
  return {
    name: `submit-${callers}`,
    work: `submit = job + evaluation, ${callers} caller${callers === 1 ? '' : 's'}`,
    unit: '/s',
    callers,
    required: REQUIRED[callers] ?? null,
    durable: 'the job, its first history entry and its evaluation, before the answer',
    peer: async (bench) => peerThroughput(await openPeerJobs(bench), 'submit', callers, bench),
    async ours(bench) {
      const store = await openOurJobs(bench)
      const measure = (seconds) => callsPerSecond(callers, seconds, () => store.submitJob(jobRequest()))
      return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => store.close() }
    },
  }
}
