import { expect, test } from 'vitest'

import { Budget } from '../src/retention/budget.ts'

const NOW_MS = 1_000
const limits = { maxAgeMs: 100, maxCount: 0, maxBytes: 0 }
const old = { finishedAtMs: 800, bytes: 10 }
const young = { finishedAtMs: 950, bytes: 10 }

test('what is over the count goes, oldest first', () => {
  const budget = new Budget({ ...limits, maxCount: 1, maxBytes: 100 }, { records: 2, bytes: 20 }, NOW_MS)
  expect([budget.judge(young), budget.isClosed(950)]).toEqual([50, true])
})

test('where the counter is damaged, age alone decides', () => {
  const budget = new Budget(limits, { records: 0, bytes: 0, damaged: true }, NOW_MS)
  expect([budget.isClosed(800), budget.judge(old)]).toEqual([false, 100])
  expect([budget.isClosed(950), budget.judge(young)]).toEqual([true, null])
})
