// Works on the jobs of a store, several at a time, until nothing is due: node working-process.mjs STORE. One kind of
// work kills the process.
import { setTimeout as delay } from 'node:timers/promises'
import { openLmdbJobStore } from '@saltcod/store-lmdb'

const WORKERS = 8
const [path] = process.argv.slice(2)
const store = await openLmdbJobStore({ path })
let working = 0

async function work({ evaluation, lease }) {
  const job = await store.getJob(evaluation.jobId)
  // Everybody has claimed something by then, as far as they may.
  await delay(50)
  if (job.spec.kills) process.kill(process.pid, 'SIGKILL')
  await store.applyPlan({ lease, job: { to: 'Completed' } })
}

async function worker(holder) {
  for (;;) {
    const claim = await store.claimEvaluation({ holder, leaseMs: 60_000, maxAttempts: 3 })
    if (claim === null) {
      if (working === 0) return
      await delay(5)
      continue
    }
    working += 1
    await work(claim)
    working -= 1
  }
}

await Promise.all(Array.from({ length: WORKERS }, (_, n) => worker(`worker-${n}`)))
await store.close()
