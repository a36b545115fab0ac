import type { ComputeExecution, ExecutionStore } from '@saltcod/store-core'
import { openExecutionStore } from '@saltcod/store-core/backend'
import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../test/random-numbers.ts'
import { testSeed } from '../../../test/seed.ts'
import { applyExecutionRetention, type ExecutionRetentionRule } from '../src/index.ts'
import { BACKENDS } from './backends.ts'
import { dumpRows, fillWithExecutions, pick, TestClock } from './workload.ts'

const KEPT_TABLES = ['specs', 'executions', 'history', 'index']
const NONE = Number.POSITIVE_INFINITY

/** The plain model: looks at every execution, sorts, and says which go. */
async function executionsToGo(
  store: ExecutionStore,
  all: readonly ComputeExecution[],
  rules: readonly ExecutionRetentionRule[],
  nowMs: number,
): Promise<string[]> {
  const going = new Set<string>()
  const bytesOf = new Map<string, number>()
  for (const state of ['Completed', 'Failed', 'Cancelled'] as const) {
    const { items } = await store.listFinishedExecutions({ state, limit: 1_000 })
    for (const { id, bytes } of items) bytesOf.set(id, bytes)
  }
  for (const rule of rules) {
    for (const namespace of ['default', 'science', 'web']) {
      for (const state of ['Completed', 'Failed', 'Cancelled'] as const) {
        if ((rule.namespace ?? namespace) !== namespace || (rule.state ?? state) !== state) continue
        const newestFirst = all
          .filter((execution) => execution.job.namespace === namespace && execution.state === state)
          .sort((a, b) => (b.finishedAtMs ?? 0) - (a.finishedAtMs ?? 0))
        let bytes = 0
        for (const [position, { id, finishedAtMs }] of newestFirst.entries()) {
          bytes += bytesOf.get(id) ?? Number.NaN
          const tooOld = nowMs - (finishedAtMs ?? 0) >= (rule.maxAgeMs ?? NONE)
          if (tooOld || position >= (rule.maxCount ?? NONE) || bytes > (rule.maxBytes ?? NONE)) going.add(id)
        }
      }
    }
  }
  return all
    .filter(({ id, revision, acknowledgedRevision }) => going.has(id) && acknowledgedRevision >= revision)
    .map(({ id }) => id)
}

describe.each(BACKENDS)('retention of executions on %s', (_name, open) => {
  test('removes exactly what the rules say and the requester knows, results first', async () => {
    for (let round = 0; round < 4; round++) {
      const seed = testSeed() + round
      const random = randomNumbers(seed)
      const clock = new TestClock()
      const kv = await open()
      const store = await openExecutionStore(kv, { clock: clock.read })
      const beganMs = clock.nowMs
      await fillWithExecutions(store, clock, random, 90)
      const rules = Array.from({ length: 1 + Math.floor(random() * 3) }, (): ExecutionRetentionRule => {
        const namespace = pick(random, ['default', 'science', undefined])
        const state = pick(random, ['Completed', 'Failed', 'Cancelled', undefined] as const)
        return {
          ...(namespace === undefined ? {} : { namespace }),
          ...(state === undefined ? {} : { state }),
          ...pick(random, [
            { maxAgeMs: Math.floor(random() * (clock.nowMs - beganMs)) },
            { maxCount: Math.floor(random() * 12) },
            { maxBytes: Math.floor(random() * 6_000) },
          ]),
        }
      })
      const said = `seed ${seed}, rules ${JSON.stringify(rules)}`
      const all = (await store.listExecutions({ limit: 1_000 })).items
      const going = await executionsToGo(store, all, rules, clock.nowMs)
      const before = dumpRows(kv, KEPT_TABLES)
      const cleared: string[] = []
      const options = { clock: clock.read, feed: null, batchRecords: 7 }
      const plan = await applyExecutionRetention(store, rules, { ...options, dryRun: true })
      const report = await applyExecutionRetention(store, rules, {
        ...options,
        removeResults: async ({ id }) => {
          expect(await store.getExecution(id), said).not.toBeNull()
          cleared.push(id)
        },
      })
      expect(cleared.sort(), said).toEqual([...going].sort())
      expect([plan.removed, report.removed, report.removedBytes], said).toEqual([
        going.length,
        going.length,
        plan.removedBytes,
      ])
      const kept = all.filter(({ id }) => !going.includes(id))
      expect((await store.listExecutions({ limit: 1_000 })).items, said).toEqual(kept)
      const after = dumpRows(kv, KEPT_TABLES)
      for (const [key, value] of after) expect(before.get(key), `${said}: ${key}`).toBe(value)
      expect((await store.check()).findings, said).toEqual([])
      await store.close()
    }
  })

  test('keeps the record where the results could not be removed', async () => {
    const clock = new TestClock()
    const store = await openExecutionStore(await open(), { clock: clock.read })
    await fillWithExecutions(store, clock, randomNumbers(1), 20)
    const before = await store.listExecutions()
    const report = await applyExecutionRetention(store, [{ maxCount: 0 }], {
      clock: clock.read,
      removeResults: async () => {
        throw new Error('the disk says no')
      },
    })
    expect(report.removed).toBe(0)
    expect(report.failed).toBeGreaterThan(5)
    expect(report.failures[0]?.message).toBe('the disk says no')
    expect((await store.listExecutions()).items).toEqual(before.items)
    await store.close()
  })
})
