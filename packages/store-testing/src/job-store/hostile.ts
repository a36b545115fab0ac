import assert from 'node:assert/strict'

import type { Json } from '@saltcod/store-core'
import { DEFAULT_MAX_SPEC_BYTES, MAX_LABELS, MAX_TEXT_BYTES } from '@saltcod/store-core/backend'
import { assertRejects } from '../kv/expectation.ts'
import { endedJob, type JobCase, newJob, submit } from './job-case.ts'

/** Texts that have broken stores before. */
export const HOSTILE_TEXTS: readonly string[] = [
  '\0',
  'a\0b',
  'a\nb',
  '\u007f',
  '\ud800',
  '\udfff x',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '..',
  '/',
  'a/b',
  'a:b',
  '%00',
  '',
  ' ',
  '\ufeff',
  'x'.repeat(5_000),
  '😀'.repeat(2_000),
  'j-',
  'j-00000000',
  `j-${'f'.repeat(40)}`,
  '\u202e',
  '\uffff',
  'null',
]

/** Cases about limits, and about texts that nobody should send. */
export const hostileCases: readonly JobCase[] = [
  {
    name: 'every lookup of any text is answered: not there',
    run: async ({ store }) => {
      await newJob(store)
      for (const text of HOSTILE_TEXTS) {
        const where = JSON.stringify(text.slice(0, 20))
        assert.equal(await store.getJob(text), null, where)
        assert.equal(await store.getExecution(text), null, where)
        assert.equal(await store.getEvaluation(text), null, where)
        assert.equal(await store.getJobByName('default', text), null, where)
        assert.equal(await store.getJobByName(text, 'a'), null, where)
        await assertRejects(store.listJobVersions(text), 'JOB_NOT_FOUND')
        await assertRejects(store.transitionJob({ jobId: text, to: 'Running' }), 'JOB_NOT_FOUND')
        await assertRejects(
          store.updateExecution({ executionId: text, to: 'Running' }),
          'EXECUTION_NOT_FOUND',
        )
        assert.equal(
          await store.recordExecution({ executionId: text, nodeId: text, computeRevision: 1 }),
          'unknown',
        )
        if (text !== 'j-00000000') await assertRejects(store.findJob(text), 'JOB_NOT_FOUND')
        await assertRejects(store.findExecution(text), 'EXECUTION_NOT_FOUND')
      }
    },
  },
  {
    name: 'every listing of any text is empty',
    run: async ({ store }) => {
      await newJob(store)
      for (const text of HOSTILE_TEXTS) {
        const lists = [
          store.listJobs({ namespace: text }),
          store.listJobs({ labels: [{ key: text, operator: '=', values: [text] }] }),
          store.listJobs({ labels: [{ key: text, operator: 'exists', values: [] }] }),
          store.listExecutions({ jobId: text }),
          store.listExecutions({ nodeId: text }),
          store.listEvaluations({ jobId: text }),
          store.listHistory({ jobId: text }),
        ]
        for (const page of await Promise.all(lists)) assert.deepEqual(page.items, [])
        assert.deepEqual(await store.counts({ namespace: text }), [])
        assert.deepEqual(await store.readOutbox({ destination: text }), [])
      }
    },
  },
  {
    name: 'ids are letters, digits and . _ - only, at most 128, without ..',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const bad = [
        '',
        ' ',
        '../x',
        'a..b',
        'a/b',
        'a b',
        'ü',
        '\0',
        '.a',
        '-a',
        '_a',
        '\ud800',
        'x'.repeat(129),
      ]
      for (const id of bad) {
        await assertRejects(submit(store, { id }), 'INVALID_ARGUMENT')
        await assertRejects(store.createExecution({ id, jobId, nodeId: 'n' }), 'INVALID_ARGUMENT')
        await assertRejects(store.createEvaluation({ id, jobId, trigger: 'job-queue' }), 'INVALID_ARGUMENT')
      }
      for (const id of ['__proto__', 'constructor']) {
        if (id.startsWith('_')) continue
        assert.equal((await newJob(store, { id })).id, id)
        assert.equal((await store.getJob(id))?.id, id)
      }
    },
  },
  {
    name: 'names, namespaces, node ids and labels have text, no control characters, and an end',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      for (const text of [
        '',
        ' ',
        'a\0b',
        'a\nb',
        '\u007f',
        '\ud800',
        'x'.repeat(MAX_TEXT_BYTES + 1),
        'ü'.repeat(129),
      ]) {
        await assertRejects(submit(store, { name: text }), 'INVALID_ARGUMENT')
        await assertRejects(submit(store, { namespace: text }), 'INVALID_ARGUMENT')
        await assertRejects(submit(store, { labels: { [text]: 'x' } }), 'INVALID_ARGUMENT')
        await assertRejects(store.createExecution({ jobId, nodeId: text }), 'INVALID_ARGUMENT')
        if (text.trim() !== '')
          await assertRejects(submit(store, { labels: { x: text } }), 'INVALID_ARGUMENT')
      }
      assert.equal((await store.counts({ kind: 'job' }))[0]?.records, 1)
    },
  },
  {
    name: 'odd but legal texts come back as they were, each for itself',
    run: async ({ store }) => {
      const extremes = ['x'.repeat(MAX_TEXT_BYTES), '😀'.repeat(64), 'ü', 'u\u0308', ' a', 'a ']
      const texts = [...HOSTILE_TEXTS, ...extremes].filter(isLegalText)
      assert.ok(texts.length > 10)
      for (const text of texts) {
        const job = await newJob(store, {
          name: text,
          namespace: text,
          labels: JSON.parse(`{${JSON.stringify(text)}:${JSON.stringify(text)}}`),
          submitKey: text,
        })
        assert.deepEqual(await store.getJobByName(text, text), job)
        assert.deepEqual((await store.listJobs({ namespace: text })).items, [job])
        assert.deepEqual(
          (await store.listJobs({ labels: [{ key: text, operator: '=', values: [text] }] })).items,
          [job],
        )
        assert.deepEqual(Object.entries(job.labels), [[text, text]])
        const execution = await store.createExecution({ jobId: job.id, nodeId: text })
        assert.deepEqual((await store.listExecutions({ nodeId: text })).items, [execution])
        assert.deepEqual((await store.counts({ kind: 'job', namespace: text }))[0]?.records, 1)
      }
    },
  },
  {
    name: 'free texts may hold anything: messages, topics, details, specifications, outbox bodies',
    run: async ({ store }) => {
      for (const text of HOSTILE_TEXTS.filter(({ length }) => length < 100)) {
        const details = JSON.parse(`{${JSON.stringify(text)}:${JSON.stringify(text)}}`) as Record<
          string,
          string
        >
        const { id: jobId } = await newJob(store, {
          spec: details,
          outbox: [{ destination: 'n', body: details }],
        })
        await store.addHistory({ jobId, event: { message: text, topic: text, details } })
        const [entry] = (await store.listHistory({ jobId, reverse: true })).items
        assert.deepEqual([entry?.event.message, entry?.event.topic], [text, text])
        assert.deepEqual(Object.entries(entry?.event.details ?? {}), [[text, text]])
        assert.deepEqual(Object.entries((await store.getJob(jobId))?.spec ?? {}), [[text, text]])
        const row = (await store.readOutbox({ destination: 'n', limit: 1_000 })).at(-1)
        assert.deepEqual(Object.entries(row?.body ?? {}), [[text, text]])
      }
    },
  },
  {
    name: 'numbers have limits: priority, count, labels',
    run: async ({ store }) => {
      for (const priority of [1.5, Number.NaN, 1e7, -1e7])
        await assertRejects(submit(store, { priority }), 'INVALID_ARGUMENT')
      for (const count of [-1, 0.5, Number.NaN, 1e7])
        await assertRejects(submit(store, { count }), 'INVALID_ARGUMENT')
      const labels = (number: number) =>
        Object.fromEntries(Array.from({ length: number }, (_, n) => [`label ${n}`, String(n)]))
      await assertRejects(submit(store, { labels: labels(MAX_LABELS + 1) }), 'INVALID_ARGUMENT')
      const { id } = await newJob(store, {
        labels: labels(MAX_LABELS),
        priority: -1_000_000,
        count: 1_000_000,
      })
      await assertRejects(store.reviseJob({ jobId: id, labels: labels(MAX_LABELS + 1) }), 'INVALID_ARGUMENT')
      await assertRejects(store.reviseJob({ jobId: id, count: -1 }), 'INVALID_ARGUMENT')
      assert.equal(Object.keys((await store.getJob(id))?.labels ?? {}).length, MAX_LABELS)
    },
  },
  {
    name: 'a specification over the limit is refused, one just under it is kept',
    run: async ({ store }) => {
      const spec = 'x'.repeat(DEFAULT_MAX_SPEC_BYTES)
      await assertRejects(submit(store, { spec }), 'INVALID_ARGUMENT')
      const large = spec.slice(0, -2_000)
      const { id } = await newJob(store, { spec: large })
      assert.equal((await store.getJob(id))?.spec, large)
      await assertRejects(store.reviseJob({ jobId: id, spec }), 'INVALID_ARGUMENT')
      assert.equal((await store.getJob(id))?.version, 1)
    },
  },
  {
    name: 'a specification may be nested deep, and is refused by a code where it is nested too deep',
    run: async ({ store }) => {
      const nested = (levels: number) => {
        let spec: Json = {}
        for (let level = 0; level < levels; level++) spec = { a: 1, spec }
        return spec
      }
      const job = await newJob(store, { spec: nested(2_500), submitKey: 'deep' })
      assert.equal(JSON.stringify(job.spec), JSON.stringify(nested(2_500)))
      const again = await submit(store, { spec: nested(2_500), submitKey: 'deep' })
      assert.equal(again.created, false)
      await assertRejects(submit(store, { spec: nested(2_499), submitKey: 'deep' }), 'SUBMIT_KEY_CONFLICT')
      for (const submitKey of ['deep', 'other'])
        await assertRejects(submit(store, { spec: nested(20_000), submitKey }), 'INVALID_ARGUMENT')
      // So deep a value reaches no reader in another process.
      await store.transitionJob({ jobId: job.id, to: 'Stopped' })
      await store.deleteJob({ jobId: job.id })
    },
  },
  {
    name: 'ids with the same beginning, and uuids in capitals, are different ids',
    run: async ({ store }) => {
      const uuid = 'abcdef12-0000-4000-8000-00000000000a'
      const ids = [`j-${uuid}`, `j-${uuid.toUpperCase()}`, uuid, `J-${uuid}`, `e-${uuid}`, `j-${uuid}0`, 'j']
      for (const id of ids) await newJob(store, { id })
      for (const id of ids) assert.equal((await store.getJob(id))?.id, id)
      const ended = await endedJob(store, { id: 'j2' })
      await store.deleteJob({ jobId: ended.id })
      assert.notEqual(await store.getJob('j'), null)
    },
  },
]

/** Whether a text may be a name: some text, no control characters, whole Unicode, not too long. */
function isLegalText(text: string): boolean {
  const control = [...text].some((each) => each < ' ' || each === '\u007f')
  const whole = Buffer.from(text).toString() === text
  return text.trim() !== '' && !control && whole && Buffer.byteLength(text) <= MAX_TEXT_BYTES
}
