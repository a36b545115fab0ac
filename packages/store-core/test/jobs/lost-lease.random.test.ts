import { expect, test } from 'vitest'
import { randomBelow } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { type Claim, JOB_TYPES, type JobStore } from '../../src/index.ts'

const LIVES = IS_LONG ? 2_000 : 40
const SEED = testSeed()
const MAX_LOSSES = 3
const MOST_TURNS = 20_000
const DAY_MS = 86_400_000

/**
 * Workers that take what they get, in a process that some of the work kills, opened again and again until nothing is
 * left.
 */
async function live(seed: number): Promise<void> {
  const random = randomBelow(seed)
  let nowMs = 1_000
  const kv = openMemoryKv({ tables: STORE_TABLES })
  let passedMs = 0
  const open = async (): Promise<JobStore> =>
    await openJobStore(kv, { clock: () => nowMs, steadyClock: () => passedMs })
  let store = await open()
  const jobs = 6 + random(12)
  const killers = new Set(Array.from({ length: 1 + random(3) }, () => `j-${random(jobs)}`))
  for (let n = 0; n < jobs; n++) {
    await store.submitJob({
      id: `j-${n}`,
      type: JOB_TYPES[random(JOB_TYPES.length)] ?? 'batch',
      spec: {},
      priority: random(3),
    })
  }
  let out: Claim[] = []
  for (let turn = 0; ; turn++) {
    expect(turn, `seed ${seed}: it comes to no end`).toBeLessThan(MOST_TURNS)
    const ms = random(2_000)
    passedMs += ms
    nowMs += ms
    // Whoever sets the clock shifts no blame.
    if (random(20) === 0) nowMs = Math.max(1_000, nowMs + (random(2) === 0 ? DAY_MS : -DAY_MS))
    const index = random(8)
    const held = out[index]
    if (held === undefined) {
      const claim = await store.claimEvaluation({
        holder: 'worker',
        leaseMs: 3_600_000,
        maxAttempts: MAX_LOSSES,
        ...(random(3) === 0 ? { jobTypes: [JOB_TYPES[random(JOB_TYPES.length)] ?? 'batch'] } : {}),
      })
      if (claim !== null) out.push(claim)
      else if (out.length === 0 && (await store.nextEvaluationMs()) === null) break
    } else if (killers.has(held.evaluation.jobId)) {
      // Without closing, as a process that is killed.
      store = await open()
      out = []
    } else {
      await store.applyPlan({ lease: held.lease, job: { to: 'Completed' } })
      out.splice(index, 1)
    }
  }
  for (let n = 0; n < jobs; n++) {
    const job = await store.getJob(`j-${n}`)
    const [evaluation] = (await store.listEvaluations({ jobId: `j-${n}` })).items
    const kills = killers.has(`j-${n}`)
    const wanted = kills
      ? { status: 'failed', lostLeases: MAX_LOSSES, attempt: 0 }
      : { status: 'complete', lostLeases: 0, attempt: 1 }
    expect(evaluation, `seed ${seed}`).toMatchObject(wanted)
    expect(job?.state, `seed ${seed}`).toBe(kills ? 'Failed' : 'Completed')
  }
  expect((await store.check()).findings, `seed ${seed}`).toEqual([])
}

test(`whatever kills the process is found among what does not, ${LIVES} times (seed ${SEED})`, {
  timeout: 600_000,
}, async () => {
  for (let life = 0; life < LIVES; life++) await live(SEED + life)
})
