import assert from 'node:assert/strict'

import type { ExecutionQuery, JobQuery, JobStore, Page, PageRequest } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { idsOf, readAll } from '../store/pages.ts'
import { type JobCase, newJob, newJobs } from './job-case.ts'

const QUERIES: readonly JobQuery[] = [
  {},
  { namespace: 'default' },
  { states: ['Pending'] },
  { states: ['Completed'] },
  { states: ['Completed'], namespace: 'default' },
  { inProgress: true },
  { inProgress: true, type: 'batch' },
  { labels: [{ key: 'a', operator: '=', values: ['1'] }] },
]

/** Cases about pages: both directions, ties in time, rows that come and go in between, foreign cursors. */
export const pagingCases: readonly JobCase[] = [
  {
    name: 'pages of every size and direction give every job once, over every index, with ties in time',
    run: async ({ store, clock }) => {
      await fill(store, () => clock.step(1))
      for (const query of QUERIES) {
        const list = (request: PageRequest) => store.listJobs({ ...query, ...request })
        const whole = idsOf(await readAll(list))
        assert.ok(whole.length >= 4, JSON.stringify(query))
        for (const limit of [1, 2, 3, whole.length, whole.length + 1]) {
          assert.deepEqual(idsOf(await readAll(list, { limit })), whole)
          assert.deepEqual(idsOf(await readAll(list, { limit, reverse: true })), [...whole].reverse())
        }
      }
    },
  },
  {
    name: 'going back gives the pages that were seen, over every index',
    run: async ({ store, clock }) => {
      await fill(store, () => clock.step(1))
      for (const query of QUERIES) {
        for (const reverse of [false, true]) {
          await walkBack((request) => store.listJobs({ ...query, reverse, ...request }))
        }
      }
    },
  },
  {
    name: 'executions, evaluations and history page in both directions too',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      for (let n = 0; n < 7; n++) {
        if (n % 3 === 0) clock.step(1)
        await store.createExecution({ jobId, nodeId: 'n', event: { message: `m${n}` } })
        await store.createEvaluation({ jobId, trigger: 'exec-update' })
      }
      const queries: readonly ExecutionQuery[] = [
        { jobId },
        { nodeId: 'n' },
        { states: ['New'] },
        { states: ['New', 'Running'] },
        { inProgress: true },
      ]
      for (const query of queries) await walkBack((request) => store.listExecutions({ ...query, ...request }))
      await walkBack((request) => store.listEvaluations({ jobId, ...request }))
      await walkBack((request) => store.listEvaluations({ status: 'pending', ...request }))
      await walkBack((request) => store.listEvaluations(request))
      await walkBack(async (request) => {
        const page = await store.listHistory({ jobId, ...request })
        return { ...page, items: page.items.map((entry) => ({ id: String(entry.sequence) })) }
      })
    },
  },
  {
    name: 'jobs that are added and removed between two pages neither repeat nor hide others',
    run: async ({ store, clock }) => {
      const ids = await newJobs(store, 6)
      clock.step(-1)
      const first = await store.listJobs({ limit: 2 })
      assert.deepEqual(idsOf(first.items), ids.slice(0, 2))
      await newJob(store)
      clock.step(2)
      const late = await newJob(store)
      for (const jobId of [ids[1] ?? '', ids[2] ?? '']) {
        await store.transitionJob({ jobId, to: 'Stopped' })
        await store.deleteJob({ jobId })
      }
      const rest = await readAll(
        (request) => store.listJobs({ ...request, cursor: request.cursor ?? first.next }),
        { limit: 2 },
      )
      assert.deepEqual(idsOf(rest), [...ids.slice(3), late.id])
    },
  },
  {
    name: 'back from a page that has become empty, nothing is skipped',
    run: async ({ store }) => {
      const ids = await newJobs(store, 4)
      const first = await store.listJobs({ limit: 2 })
      for (const jobId of ids.slice(2)) {
        await store.transitionJob({ jobId, to: 'Stopped' })
        await store.deleteJob({ jobId })
      }
      const second = await store.listJobs({ limit: 2, cursor: first.next })
      assert.deepEqual([second.items, second.next], [[], null])
      const back = await store.listJobs({ limit: 2, cursor: second.previous })
      assert.deepEqual(idsOf(back.items), ids.slice(0, 2))
    },
  },
  {
    name: 'forward from a page before the first that has become empty, nothing is skipped',
    run: async ({ store }) => {
      const ids = await newJobs(store, 4)
      const first = await store.listJobs({ limit: 2 })
      const second = await store.listJobs({ limit: 2, cursor: first.next })
      for (const jobId of ids.slice(0, 2)) {
        await store.transitionJob({ jobId, to: 'Stopped' })
        await store.deleteJob({ jobId })
      }
      const before = await store.listJobs({ limit: 2, cursor: second.previous })
      assert.deepEqual([before.items, before.previous], [[], null])
      const forward = await store.listJobs({ limit: 2, cursor: before.next })
      assert.deepEqual(idsOf(forward.items), ids.slice(2))
    },
  },
  {
    name: 'a filter without an index examines at most 2,000 jobs a page and leaves a cursor',
    large: true,
    run: async ({ store }) => {
      const made: Promise<unknown>[] = []
      for (let n = 0; n < 2_050; n++) {
        const type = n === 0 || n === 1_999 || n === 2_000 || n === 2_049 ? 'ops' : 'batch'
        made.push(newJob(store, { id: `job-${String(n).padStart(5, '0')}`, type }))
      }
      await Promise.all(made)
      const first = await store.listJobs({ type: 'ops' })
      assert.deepEqual([idsOf(first.items), first.examined], [['job-00000', 'job-01999'], 2_000])
      const second = await store.listJobs({ type: 'ops', cursor: first.next })
      assert.deepEqual(
        [idsOf(second.items), second.examined, second.next],
        [['job-02000', 'job-02049'], 50, null],
      )
      const none = await store.listJobs({ type: 'daemon' })
      assert.deepEqual([none.items, none.examined], [[], 2_000])
      assert.notEqual(none.next, null)
      assert.deepEqual((await store.listJobs({ type: 'daemon', cursor: none.next })).next, null)
      const back = await store.listJobs({ type: 'ops', cursor: second.previous })
      assert.deepEqual(idsOf(back.items), ['job-00000', 'job-01999'])
    },
  },
  {
    name: 'a cursor of another query is INVALID_CURSOR, and so is one that no store made',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store, { namespace: 'a' })
      await newJobs(store, 3, () => ({ namespace: 'a' }))
      for (let n = 0; n < 3; n++) await store.createExecution({ jobId, nodeId: 'n' })
      const { next } = await store.listJobs({ namespace: 'a', limit: 1 })
      assert.notEqual(next, null)
      const others: readonly ((cursor: string | null) => Promise<unknown>)[] = [
        (cursor) => store.listJobs({ namespace: 'b', cursor }),
        (cursor) => store.listJobs({ cursor }),
        (cursor) => store.listJobs({ namespace: 'a', reverse: true, cursor }),
        (cursor) => store.listExecutions({ jobId, cursor }),
        (cursor) => store.listHistory({ jobId, cursor }),
        (cursor) => store.listEvaluations({ cursor }),
      ]
      for (const ask of others) await assertRejects(ask(next), 'INVALID_CURSOR')
      for (const bad of ['', 'x', 'x'.repeat(10_000), `${next?.slice(0, 9)}`, `${next?.slice(0, 8)}z`]) {
        await assertRejects(store.listJobs({ namespace: 'a', cursor: bad }), 'INVALID_CURSOR')
      }
    },
  },
  {
    name: 'the size of a page is 1 to 1,000',
    run: async ({ store }) => {
      for (const limit of [0, -1, 1.5, 1_001, Number.NaN]) {
        await assertRejects(store.listJobs({ limit }), 'INVALID_ARGUMENT')
      }
      assert.deepEqual((await store.listJobs({ limit: 1_000 })).items, [])
    },
  },
]

/** Fills a store with jobs in several states, some created at the same time. */
async function fill(store: JobStore, tick: () => void): Promise<void> {
  for (let n = 0; n < 20; n++) {
    const { id: jobId } = await newJob(store, {
      namespace: n % 5 === 4 ? 'other' : 'default',
      type: n % 4 === 3 ? 'service' : 'batch',
      labels: n % 2 === 0 ? { a: '1' } : {},
    })
    if (n % 2 === 1) await store.transitionJob({ jobId, to: 'Completed' })
    if (n % 6 === 5) tick()
  }
}

/** Goes to the end in pages of two, then back to the beginning, and compares the pages. */
async function walkBack(
  list: (request: PageRequest) => Promise<Page<{ readonly id: string }>>,
): Promise<void> {
  const forward: string[][] = []
  let page = await list({ limit: 2 })
  assert.equal(page.previous, null)
  for (;;) {
    forward.push(idsOf(page.items))
    if (page.next === null) break
    page = await list({ limit: 2, cursor: page.next })
  }
  assert.ok(forward.length > 1)
  const backward = [forward.at(-1) ?? []]
  while (page.previous !== null) {
    page = await list({ limit: 2, cursor: page.previous })
    backward.unshift(idsOf(page.items))
  }
  assert.deepEqual(
    backward.filter(({ length }) => length > 0),
    forward,
  )
  if (page.next !== null) {
    const again = await list({ limit: 2, cursor: page.next })
    assert.deepEqual(idsOf(again.items), forward[1] ?? [])
  }
}
