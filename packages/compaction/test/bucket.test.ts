import { expect, test } from 'vitest'

import { Bucket } from '../src/retention/bucket.ts'

const NOW_MS = 1_000
const limits = { maxAgeMs: 100, maxCount: 0, maxBytes: 0 }
const old = { finishedAtMs: 800, bytes: 10 }
const young = { finishedAtMs: 950, bytes: 10 }

test('what is over the count goes, oldest first', () => {
  const bucket = new Bucket({ ...limits, maxCount: 1, maxBytes: 100 }, { records: 2, bytes: 20 }, NOW_MS)
  expect([bucket.judge(young), bucket.isClosed(950)]).toEqual([50, true])
})

test('where the counter is damaged, age alone decides', () => {
  const bucket = new Bucket(limits, { records: 0, bytes: 0, damaged: true }, NOW_MS)
  expect([bucket.isClosed(800), bucket.judge(old)]).toEqual([false, 100])
  expect([bucket.isClosed(950), bucket.judge(young)]).toEqual([true, null])
})
