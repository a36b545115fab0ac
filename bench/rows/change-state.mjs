import { newId } from '@saltcod/store-core'
import { callsPerSecond, repeat, walk } from '../callers.mjs'
import { openOurExecutions, openPeerExecutions, peerThroughput } from '../stores.mjs'
import { COMPUTE_LIFE, computeExecutionRequest } from '../workload.mjs'

/** How many executions are prepared for a second: more than it can use up. */
const POOL = 10_000

/** What is required of the ratio to the peer, by the number of callers. */
const REQUIRED = { 64: { atLeast: 12 }, 1: { atLeast: 1 } }

/** Moves executions through a compute node's states; they are created before the time is taken. */
export function changeStateRow(callers) {
  return {
    name: `change-state-${callers}`,
    work: `change execution state (compute), ${callers} caller${callers === 1 ? '' : 's'}`,
    unit: '/s',
    callers,
    required: REQUIRED[callers] ?? null,
    durable: 'the execution and its history entry, before the answer',
    async peer(bench) {
      const peer = await openPeerExecutions(bench)
      const side = peerThroughput(peer, 'change-state', callers, bench)
      const fill = () => peer.request('fill', { count: Math.ceil(POOL * bench.seconds) })
      return { ...side, warm: () => fill().then(side.warm), measure: () => fill().then(side.measure) }
    },
    async ours(bench) {
      const store = await openOurExecutions(bench)
      const measure = (seconds) => changeStates(store, callers, seconds)
      return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => store.close() }
    },
  }
}

async function changeStates(store, callers, seconds) {
  const ids = []
  await repeat(Math.ceil(POOL * seconds), 512, async () => {
    const id = newId('e')
    await store.createExecution(computeExecutionRequest(id, newId('j')))
    ids.push(id)
  })
  const lives = walk(ids, COMPUTE_LIFE.length)
  return callsPerSecond(callers, seconds, async (caller) => {
    const at = lives.next(caller)
    if (at === null) return false
    const { to, message } = COMPUTE_LIFE[at.step]
    await store.updateExecution({ executionId: at.record, to, event: { message } })
    return true
  })
}
