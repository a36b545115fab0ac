import { callsPerSecond, repeat, walk } from '../callers.mjs'
import { openOurJobs, openPeerJobs, peerThroughput } from '../stores.mjs'
import { completedPatch, executionRequest, jobRequest, REQUESTER_LIFE } from '../workload.mjs'

/** How many executions are prepared for a second: more than it can use up. */
const POOL = 10_000

/** What is required of the ratio to the peer, by the number of callers. */
const REQUIRED = { 64: { atLeast: 12 }, 1: { atLeast: 1 } }

/** Moves executions through the requester's states; they are created before the time is taken. */
export function updateExecutionRow(callers) {
  return {
    name: `update-execution-${callers}`,
    work: `change execution state (requester), ${callers} caller${callers === 1 ? '' : 's'}`,
    unit: '/s',
    callers,
    required: REQUIRED[callers] ?? null,
    durable: 'the execution and its history entry, before the answer',
    async peer(bench) {
      const peer = await openPeerJobs(bench)
      const side = peerThroughput(peer, 'update-execution', callers, bench)
      const fill = () => peer.request('prepare-updates', { count: Math.ceil(POOL * bench.seconds) })
      return { ...side, warm: () => fill().then(side.warm), measure: () => fill().then(side.measure) }
    },
    async ours(bench) {
      const store = await openOurJobs(bench)
      const measure = (seconds) => updateExecutions(store, callers, seconds)
      return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => store.close() }
    },
  }
}

async function updateExecutions(store, callers, seconds) {
  const executions = []
  await repeat(Math.ceil(POOL * seconds), 512, async () => {
    const { job } = await store.submitJob(jobRequest(null))
    executions.push(await store.createExecution(executionRequest(job.id)))
  })
  const lives = walk(executions, REQUESTER_LIFE.length)
  return callsPerSecond(callers, seconds, async (caller) => {
    const at = lives.next(caller)
    if (at === null) return false
    const { id, jobId } = at.record
    const to = REQUESTER_LIFE[at.step]
    await store.updateExecution({
      executionId: id,
      to,
      event: { message: 'Execution changed its state', topic: 'Scheduling' },
      ...(to === 'Completed' ? { patch: completedPatch(jobId, id) } : {}),
    })
    return true
  })
}
