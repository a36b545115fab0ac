import assert from 'node:assert/strict'

import { DEFAULT_MAX_SPEC_BYTES } from '@saltcod/store-core/backend'
import { HOSTILE_TEXTS } from '../job-store/hostile.ts'
import { assertRejects } from '../kv/expectation.ts'
import { readAll } from '../store/pages.ts'
import { create, type ExecutionCase, JOB } from './execution-case.ts'

/** Cases about history, checkpoints and texts that nobody should send. */
export const noteCases: readonly ExecutionCase[] = [
  {
    name: 'history can be added, goes on after a thousand entries, and pages in both directions',
    run: async ({ store }) => {
      const { id } = await create(store)
      const entry = await store.addHistory({
        executionId: id,
        event: { message: 'm', topic: 't', details: { a: 'b' } },
      })
      assert.deepEqual([entry.event.details, entry.newState, entry.jobId], [{ a: 'b' }, 'Created', JOB.id])
      await Promise.all(
        Array.from({ length: 1_050 }, (_, n) =>
          store.addHistory({ executionId: id, event: { message: `${n}` } }),
        ),
      )
      const list = (reverse: boolean) =>
        readAll((request) => store.listHistory({ executionId: id, ...request, reverse }), { limit: 300 })
      const entries = await list(false)
      assert.deepEqual(entries[1], entry)
      assert.deepEqual(
        entries.slice(2).map(({ event }) => event.message),
        Array.from({ length: 1_050 }, (_, n) => `${n}`),
      )
      assert.deepEqual((await list(true)).reverse(), entries)
      assert.equal((await store.getExecution(id))?.revision, 1)
    },
  },
  {
    name: 'an execution that was never there has no history',
    run: async ({ store }) => {
      assert.deepEqual((await store.listHistory({ executionId: 'none' })).items, [])
      await assertRejects(store.addHistory({ executionId: 'none', event: {} }), 'EXECUTION_NOT_FOUND')
    },
  },
  {
    name: 'checkpoints are kept by name, 0 where none was stored, also backwards',
    run: async ({ store }) => {
      assert.equal(await store.getCheckpoint('inbox'), 0)
      await store.setCheckpoint('inbox', Number.MAX_SAFE_INTEGER)
      await store.setCheckpoint('other', 1)
      assert.equal(await store.getCheckpoint('inbox'), Number.MAX_SAFE_INTEGER)
      await store.setCheckpoint('inbox', 5)
      assert.deepEqual([await store.getCheckpoint('inbox'), await store.getCheckpoint('other')], [5, 1])
      for (const name of ['', ' ', '\0', 'x'.repeat(300)]) {
        await assertRejects(store.setCheckpoint(name, 1), 'INVALID_ARGUMENT')
        await assertRejects(store.getCheckpoint(name), 'INVALID_ARGUMENT')
      }
      for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
        await assertRejects(store.setCheckpoint('inbox', value), 'INVALID_ARGUMENT')
      }
    },
  },
  {
    name: 'executions and checkpoints outlive an opening',
    needs: 'reopen',
    run: async ({ store, reopen }) => {
      const execution = await create(store, { state: 'BidAccepted' })
      await store.setCheckpoint('inbox', 7)
      const again = await reopen()
      assert.deepEqual(await again.getExecution(execution.id), execution)
      assert.equal(await again.getCheckpoint('inbox'), 7)
      const list = await again.listExecutions({ live: true })
      assert.deepEqual(list.items, [execution])
    },
  },
  {
    name: 'any text is answered: not there, or refused',
    run: async ({ store }) => {
      await create(store)
      for (const text of HOSTILE_TEXTS) {
        assert.equal(await store.getExecution(text), null)
        await assertRejects(store.findExecution(text), 'EXECUTION_NOT_FOUND')
        await assertRejects(store.updateExecution({ executionId: text }), 'EXECUTION_NOT_FOUND')
        await assertRejects(store.deleteExecution({ executionId: text }), 'EXECUTION_NOT_FOUND')
        assert.deepEqual((await store.listExecutions({ jobId: text })).items, [])
        assert.deepEqual((await store.listHistory({ executionId: text })).items, [])
      }
      for (const id of ['', ' ', '../x', 'a/b', 'a..b', '\0', '\ud800', '__proto__', 'x'.repeat(129)]) {
        await assertRejects(create(store, { id }), 'INVALID_ARGUMENT')
        await assertRejects(create(store, { job: { ...JOB, id } }), 'INVALID_ARGUMENT')
      }
      for (const text of ['', ' ', 'a\0b', '\ud800', 'x'.repeat(257)]) {
        await assertRejects(create(store, { requesterId: text }), 'INVALID_ARGUMENT')
        await assertRejects(create(store, { job: { ...JOB, namespace: text } }), 'INVALID_ARGUMENT')
      }
      await assertRejects(create(store, { job: { ...JOB, type: 'cron' as 'batch' } }), 'INVALID_ARGUMENT')
      const large = 'x'.repeat(DEFAULT_MAX_SPEC_BYTES + 10_000)
      await assertRejects(create(store, { job: { ...JOB, spec: large } }), 'INVALID_ARGUMENT')
      assert.equal((await store.listExecutions()).items.length, 1)
    },
  },
  {
    name: 'free texts may hold anything',
    run: async ({ store }) => {
      for (const text of HOSTILE_TEXTS.filter(({ length }) => length < 100)) {
        const details = JSON.parse(`{${JSON.stringify(text)}:${JSON.stringify(text)}}`) as Record<
          string,
          string
        >
        const { id } = await create(store, {
          job: { ...JOB, spec: details },
          event: { message: text, details },
        })
        const back = await store.updateExecution({ executionId: id, patch: { runOutput: details } })
        assert.deepEqual(Object.entries(back.runOutput ?? {}), [[text, text]])
        assert.deepEqual(Object.entries((await store.getExecution(id))?.job.spec ?? {}), [[text, text]])
        const [entry] = (await store.listHistory({ executionId: id })).items
        assert.deepEqual(
          [entry?.event.message, Object.entries(entry?.event.details ?? {})],
          [text, [[text, text]]],
        )
      }
    },
  },
]
