import { expect, test } from 'vitest'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { INDEX, tuple } from '../../src/format.ts'
import { isStoreError, type JobStore } from '../../src/index.ts'

const SEED = testSeed()
const CASES = IS_LONG ? 20_000 : 80
const NOW_MS = 1_000_000
const DAY_MS = 86_400_000

/** Makes numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Evaluations that are due, wait, wait since the clock was ahead, are leased, or are suspects. */
async function fill(kv: ReturnType<typeof openMemoryKv>): Promise<void> {
  let nowMs = NOW_MS
  const open = () => openJobStore(kv, { clock: () => nowMs })
  // Two die with their process, which makes them suspects.
  const first = await open()
  for (let n = 0; n < 2; n += 1) {
    await first.submitJob({ id: `j-${n}`, type: 'batch', spec: {} })
    await first.claimEvaluation({ holder: 'w', leaseMs: 1_000 })
  }
  const store = await open()
  for (let n = 2; n < 8; n += 1) {
    await store.submitJob({ id: `j-${n}`, type: n % 2 === 0 ? 'batch' : 'service', spec: {} })
    await store.createEvaluation({ jobId: `j-${n}`, trigger: 'job-queue', delayMs: 50 * n })
    await store.createEvaluation({ jobId: `j-${n}`, trigger: 'job-queue', dueAtMs: nowMs + n })
  }
  for (let n = 0; n < 2; n += 1) await store.claimEvaluation({ holder: 'w', leaseMs: 100, scheduler: true })
  nowMs += DAY_MS
  for (let n = 8; n < 10; n += 1) {
    await store.submitJob({ id: `j-${n}`, type: 'batch', spec: {}, evaluation: null })
    await store.createEvaluation({ jobId: `j-${n}`, trigger: 'job-queue', delayMs: 50 })
  }
}

/** Claims and completes until nothing is due, and returns the ids of what was claimed. */
async function drain(store: JobStore, setClock: (nowMs: number) => void): Promise<string[]> {
  const claimed: string[] = []
  for (const laterMs of [0, 100_000, 200_000]) {
    setClock(NOW_MS + laterMs)
    for (;;) {
      const claim = await store.claimEvaluation({ holder: 'w', leaseMs: 1_000 })
      if (claim === null) break
      claimed.push(claim.evaluation.id)
      await store.completeEvaluation({ lease: claim.lease })
      expect(claimed.length).toBeLessThan(100)
    }
    await store.nextEvaluationMs()
  }
  return claimed
}

/** Completes what is next, without a claim, until there is nothing; returns the ids of what was completed. */
async function drainUnclaimed(store: JobStore, setClock: (nowMs: number) => void): Promise<string[]> {
  const completed: string[] = []
  for (const laterMs of [0, 100_000, 200_000]) {
    setClock(NOW_MS + laterMs)
    for (let looks = 0; ; looks += 1) {
      const next = await store.nextEvaluations()
      if (next.length === 0) break
      expect(looks).toBeLessThan(100)
      for (const { id } of next) {
        await store.completeEvaluation({ lease: { evaluationId: id, unclaimed: true } })
        completed.push(id)
      }
    }
  }
  return completed
}

test.each([
  { how: 'with claims', empty: drain },
  { how: 'without claims', empty: drainUnclaimed },
])(
  `a damaged row of the queue keeps nobody from the work behind it, $how (seed ${SEED})`,
  async ({ empty }) => {
    const kv = openMemoryKv({ tables: STORE_TABLES })
    await fill(kv)
    const rows = STORE_TABLES.flatMap((table) =>
      kv.read((snapshot) => snapshot.range(table, { limit: 1_000 })).map((row) => ({ table, ...row })),
    )
    const queue = kv
      .read((snapshot) =>
        snapshot.range('index', {
          gte: tuple(INDEX.evaluationByJob),
          lt: tuple(INDEX.evaluationSuspect + 1),
          limit: 1_000,
        }),
      )
      .map((row) => ({ table: 'index', ...row }))
    expect(new Set(queue.map(({ key }) => key[1])).size).toBeGreaterThan(6)
    const random = randomNumbers(SEED)
    for (let round = 0; round < CASES; round += 1) {
      const hit = queue[Math.floor(random() * queue.length)]
      if (hit === undefined) throw new Error('no rows')
      const part = hit.value.length > 0 && random() < 0.5 ? 'value' : 'key'
      const bytes = Buffer.from(hit[part])
      const at = Math.floor(random() * bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      const what = `the ${part} of ${Buffer.from(hit.key).toString('hex')} is ${bytes.toString('hex')}`
      const damaged = openMemoryKv({ tables: STORE_TABLES })
      await damaged.write((transaction) => {
        for (const row of rows) transaction.put(row.table, row.key, row.value)
        if (part === 'key') transaction.remove('index', hit.key)
        transaction.put('index', part === 'key' ? bytes : hit.key, part === 'value' ? bytes : hit.value)
      })
      let nowMs = NOW_MS
      const store = await openJobStore(damaged, { clock: () => nowMs }).catch((error: unknown) => {
        throw new Error(`${what}: ${String(error)}`, { cause: error })
      })
      const claimed = await empty(store, (ms) => {
        nowMs = ms
      }).catch((error: unknown) => {
        expect(isStoreError(error), `${what}: ${String(error)}`).toBe(true)
        throw new Error(`${what}: ${String(error)}`, { cause: error })
      })
      // One row is one evaluation, or one job.
      expect(new Set(claimed).size, what).toBeGreaterThanOrEqual(22 - 3)
      await store.close()
    }
  },
)
