import assert from 'node:assert/strict'
import { isStoreError, type JobStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { type JobCase, newJob } from './job-case.ts'

const HEAD = 'j-abcd1234-0000-8000-8000-00000000000'

/** Cases about finding one job or execution by name, id and short id. */
export const lookupCases: readonly JobCase[] = [
  {
    name: 'what is not there is null, or not found',
    run: async ({ store }) => {
      assert.equal(await store.getJob('none'), null)
      assert.equal(await store.getJob('none', 1), null)
      assert.equal(await store.getJobByName('default', 'none'), null)
      assert.equal(await store.getExecution('none'), null)
      assert.equal(await store.getEvaluation('none'), null)
      await assertRejects(store.findJob('none'), 'JOB_NOT_FOUND')
      await assertRejects(store.findJob('j-12345678'), 'JOB_NOT_FOUND')
      await assertRejects(store.findExecution('e-12345678'), 'EXECUTION_NOT_FOUND')
      await assertRejects(store.listJobVersions('none'), 'JOB_NOT_FOUND')
    },
  },
  {
    name: 'a job is found by name in its namespace, by id, and by short id',
    run: async ({ store }) => {
      const job = await newJob(store, { name: 'words', namespace: 'team' })
      assert.deepEqual(await store.findJob('words', 'team'), job)
      await assertRejects(store.findJob('words'), 'JOB_NOT_FOUND')
      assert.deepEqual(await store.findJob(job.id), job)
      assert.deepEqual(await store.findJob(job.id.slice(0, 10)), job)
      assert.deepEqual(await store.findJob(job.id.slice(0, 20)), job)
      assert.deepEqual(await store.findJob(job.id.slice(0, 6)), job)
    },
  },
  {
    name: 'a short id with two matches is AMBIGUOUS_ID with both; one digit more decides',
    run: async ({ store }) => {
      const [one, two] = [`${HEAD}1`, `${HEAD}2`]
      await newJob(store, { id: one })
      await newJob(store, { id: two })
      await newJob(store, { id: 'j-abcd1235-0000-8000-8000-000000000003' })
      for (const text of ['j-abcd', 'j-abcd1234', HEAD]) {
        const matches = await matchesOf(store, text)
        assert.deepEqual(matches.slice(0, 2), [one, two], text)
      }
      assert.equal((await store.findJob(one)).id, one)
      assert.equal((await store.findJob('j-abcd1235')).id.at(-1), '3')
    },
  },
  {
    name: 'a whole id goes before a name, and a name that is a short id too is AMBIGUOUS_ID',
    run: async ({ store }) => {
      const job = await newJob(store, { name: 'own' })
      const short = job.id.slice(0, 10)
      const impostors = [await newJob(store, { name: job.id }), await newJob(store, { name: short })]
      assert.equal((await store.findJob(job.id)).id, job.id)
      assert.deepEqual(await matchesOf(store, short), [impostors[1]?.id, job.id])
      const own = await newJob(store, { name: 'j-beef', id: 'j-beef0000-0000-8000-8000-000000000001' })
      assert.equal((await store.findJob('j-beef')).id, own.id)
    },
  },
  {
    name: 'what only looks like a short id is no prefix',
    run: async ({ store }) => {
      const digits = (await newJob(store)).id.slice(2)
      for (const text of [
        digits.slice(0, 8),
        'j-',
        `j-${digits.slice(0, 3)}`,
        `e-${digits.slice(0, 8)}`,
        `J-${digits.slice(0, 8)}`,
      ]) {
        await assertRejects(store.findJob(text), 'JOB_NOT_FOUND')
      }
    },
  },
  {
    name: 'ids of the caller’s own making work, but have no short form',
    run: async ({ store }) => {
      for (const id of ['a', '1', 'my.job_1-x', 'x'.repeat(128)]) {
        const job = await newJob(store, { id })
        assert.deepEqual(await store.getJob(id), job)
        assert.deepEqual(await store.findJob(id), job)
      }
      await assertRejects(store.findJob('my.job'), 'JOB_NOT_FOUND')
      assert.equal(await store.getJob('A'), null)
    },
  },
  {
    name: 'an execution is found by id and short id, an ambiguous one with all matches',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const ids = [1, 2].map((n) => `e-1234abcd-0000-8000-8000-00000000000${n}`)
      for (const id of ids) await store.createExecution({ id, jobId, nodeId: 'n' })
      const made = await store.createExecution({ jobId, nodeId: 'n' })
      assert.deepEqual(await store.findExecution(made.id), made)
      assert.deepEqual(await store.findExecution(made.id.slice(0, 10)), made)
      await assertRejects(store.findExecution('e-1234abcd'), 'AMBIGUOUS_ID')
    },
  },
]

async function matchesOf(store: JobStore, text: string): Promise<readonly string[]> {
  return await store.findJob(text).then(
    () => assert.fail(`${text} should be ambiguous`),
    (error: unknown) => {
      assert.ok(isStoreError(error, 'AMBIGUOUS_ID'), String(error))
      return error.details.matches ?? []
    },
  )
}
