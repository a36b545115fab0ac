import { setTimeout } from 'node:timers/promises'
import { newId } from '@saltcod/store-core'
import { openOurExecutions, openOurJobs, openPeerExecutions, openPeerJobs } from '../stores.mjs'
import {
  COMPUTE_LIFE,
  completedPatch,
  computeExecutionRequest,
  executionRequest,
  jobRequest,
  NODE_ID,
} from '../workload.mjs'

const LIVES = 2_000

/** Pages in use, times the page size, for each record that has come to its end. */
export const bytesRows = [
  {
    name: 'bytes-job',
    work: 'a finished job with 1 execution and its whole history, requester',
    unit: 'B',
    required: { atMost: 1 / 2 },
    repeats: false,
    peer: (bench) => peerBytes(openPeerJobs(bench)),
    ours: (bench) => ourBytes(openOurJobs(bench), finishJob),
  },
  {
    name: 'bytes-execution',
    work: 'a finished execution, 5 states, compute node',
    unit: 'B',
    required: { atMost: 2 / 3 },
    repeats: false,
    peer: (bench) => peerBytes(openPeerExecutions(bench)),
    ours: (bench) => ourBytes(openOurExecutions(bench), finishExecution),
  },
  {
    name: 'bytes-job-folded',
    work: 'the same job once it is folded',
    unit: 'B',
    required: { atMost: 1 / 5 },
    repeats: false,
    peer: (bench) => peerBytes(openPeerJobs(bench)),
    ours: (bench) => ourBytes(openOurJobs(bench), finishJob, foldAll),
  },
  {
    name: 'bytes-execution-folded',
    work: 'the same execution once it is folded',
    unit: 'B',
    required: { atMost: 1 / 3 },
    repeats: false,
    peer: (bench) => peerBytes(openPeerExecutions(bench)),
    ours: (bench) => ourBytes(openOurExecutions(bench), finishExecution, foldAll),
  },
]

async function peerBytes(opening) {
  const peer = await opening
  return {
    measure: async () => (await peer.request('finish', { count: LIVES })).bytesEach,
    close: () => peer.stop(),
  }
}

async function ourBytes(opening, life, afterwards = async () => undefined) {
  const store = await opening
  const tells = store.capabilities.statistics !== undefined
  return {
    async measure() {
      const before = usedBytes(store)
      for (let n = 0; n < LIVES; n += 1) await life(store)
      while ((await store.trimFeed({ maxBytes: 0 })) > 0);
      await afterwards(store)
      return tells ? (usedBytes(store) - before) / LIVES : null
    },
    note: () => (tells ? [] : 'ours: the backend tells no sizes'),
    close: () => store.close(),
  }
}

/** Returns 0 where a backend tells none. */
function usedBytes(store) {
  return store.capabilities.statistics?.().usedBytes ?? 0
}

/** Folds what has ended, and has the file rewritten where the store can do that. */
async function foldAll(store) {
  while ((await store.fold({ limit: 500 })).more);
  await store.capabilities.rewrite?.()
}

async function finishExecution(store) {
  const executionId = newId('e')
  const jobId = newId('j')
  await store.createExecution(computeExecutionRequest(executionId, jobId))
  let revision = 0
  for (const { to, message } of COMPUTE_LIFE)
    ({ revision } = await store.updateExecution({ executionId, to, event: { message } }))
  await store.acknowledgeExecution({ executionId, revision })
}

/** The same story as the peer's eleven transactions tell, in the eight that it takes here. */
async function finishJob(store) {
  const { job } = await store.submitJob(jobRequest())
  const decide = async (plan) => {
    const { lease } = await store.claimEvaluation({ holder: NODE_ID, leaseMs: 60_000 })
    return store.applyPlan({ lease, ...plan })
  }
  const { jobId, ...newExecution } = executionRequest(job.id)
  const { executionIds } = await decide({ newExecutions: [{ jobId, ...newExecution }] })
  const executionId = executionIds[0]
  const tell = (computeRevision, to, message, more = {}) =>
    store.recordExecution({
      executionId,
      nodeId: NODE_ID,
      computeRevision,
      to,
      event: { message, topic: 'Scheduling' },
      ...more,
    })
  const evaluation = { trigger: 'exec-update' }
  await store.updateExecution({
    executionId,
    to: 'AskForBid',
    event: { message: 'Asked for a bid', topic: 'Scheduling' },
  })
  await tell(1, 'AskForBidAccepted', 'Bid accepted by the node', { evaluation })
  await decide({
    updates: [
      {
        executionId,
        patch: { desiredState: 'Running', desiredMessage: 'execution should run' },
        event: { message: 'Execution approved', topic: 'Scheduling' },
      },
    ],
    job: { to: 'Running', event: { message: 'Job running', topic: 'Scheduling' } },
  })
  await tell(2, 'BidAccepted', 'Execution running')
  await tell(3, 'Completed', 'Execution completed', {
    evaluation,
    patch: completedPatch(job.id, executionId),
  })
  await decide({ job: { to: 'Completed', event: { message: 'Job completed', topic: 'Scheduling' } } })
  await setTimeout(2)
  await store.trimEvaluations({ olderThanMs: 1 })
}
