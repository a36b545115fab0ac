import { applyRetention, foldFinished } from '@saltcod/compaction'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { completion, executionRequest, jobRequest, NODE_ID } from '../workload.mjs'

// A queue at full load: jobs are submitted, planned, run and completed in batches, and retention removes them
// as fast as they finish. Reports what it did and how far retention is behind.

const [path, callers, keptJobs, rewriteMinutes] = [
  process.argv[2],
  Number(process.argv[3]),
  Number(process.argv[4]),
  Number(process.argv[5]),
]
const store = await openLmdbJobStore({ path })
const done = {
  finishedJobs: 0,
  removedJobs: 0,
  folded: 0,
  mostOverdueSeconds: 0,
  rewrites: 0,
  longestPauseMs: 0,
}
const stopping = new AbortController()
process.on('message', () => stopping.abort())
process.on('disconnect', () => stopping.abort())

const rules = [{ maxCount: keptJobs }]
const loops = [
  ...Array.from({ length: callers }, () => until(runOneJob)),
  until(retain),
  until(fold),
  until(report),
]
if (rewriteMinutes > 0) loops.push(until(rewrite))
await Promise.all(loops)
const { findings } = await store.check()
tell()
await store.close()
if (findings.length > 0) {
  console.error(findings.slice(0, 5))
  process.exitCode = 1
}
process.disconnect()

async function until(step) {
  while (!stopping.signal.aborted) await step()
}

async function runOneJob() {
  await store.submitJob(jobRequest())
  const claimed = await store.claimEvaluation({ holder: NODE_ID, leaseMs: 60_000 })
  if (claimed === null) return
  const { lease, evaluation } = claimed
  const { jobId } = evaluation
  const plan = { lease, newExecutions: [executionRequest(jobId)], job: { to: 'Running' } }
  const { executionIds } = await store.applyPlan(plan)
  const [executionId] = executionIds
  for (const to of ['AskForBid', 'AskForBidAccepted', 'BidAccepted'])
    await store.updateExecution({ executionId, to })
  await store.updateExecution({ executionId, to: 'Completed', patch: completion(jobId, executionId) })
  await store.transitionJob({ jobId, to: 'Completed' })
  done.finishedJobs += 1
}

async function retain() {
  const { removed, overdueBeforeMs } = await applyRetention(store, rules, {
    feed: { olderThanMs: 10_000, maxBytes: 4 * 1024 * 1024 },
    evaluationsOlderThanMs: 1_000,
    signal: stopping.signal,
  })
  done.removedJobs += removed
  done.mostOverdueSeconds = Math.max(done.mostOverdueSeconds, overdueBeforeMs / 1_000)
  await pause(200)
}

async function fold() {
  const { folded } = await foldFinished(store, { olderThanMs: 1_000, signal: stopping.signal })
  done.folded += folded
  await pause(500)
}

async function rewrite() {
  await pause(rewriteMinutes * 60_000)
  if (stopping.signal.aborted) return
  const { pauseMs } = await store.capabilities.rewrite()
  done.rewrites += 1
  done.longestPauseMs = Math.max(done.longestPauseMs, Math.round(pauseMs))
}

async function report() {
  tell()
  await pause(1_000)
}

function tell() {
  const { usedBytes, fileBytes } = store.capabilities.statistics()
  process.send?.({ ...done, usedBytes, fileBytes })
}

function pause(durationMs) {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, durationMs)
    stopping.signal.addEventListener('abort', finish, { once: true })
    function finish() {
      clearTimeout(timer)
      stopping.signal.removeEventListener('abort', finish)
      resolve()
    }
  })
}
