import assert from 'node:assert/strict'

import type { Json } from '@saltcod/store-core'
import { assertRefused } from '../store/mistake.ts'
import { jsonMistakes, UNUSUAL_JSON } from '../store/no-json.ts'
import { type JobCase, newJob, submit } from './job-case.ts'

/** Cases about the values that a job store keeps without reading them. */
export const jobJsonCases: readonly JobCase[] = [
  {
    name: 'what JSON carries comes back as it was, wherever it is taken',
    run: async ({ store }) => {
      for (const json of UNUSUAL_JSON) {
        const { job } = await submit(store, { spec: json, outbox: [{ destination: 'n', body: json }] })
        assert.deepEqual(job.spec, plain(json))
        assert.deepEqual(await store.getJob(job.id), job)
        const revised = await store.reviseJob({ jobId: job.id, spec: [json] })
        assert.deepEqual(await store.getJob(job.id), revised.job)
        const created = await store.createExecution({ jobId: job.id, nodeId: 'n', resources: json })
        assert.deepEqual(await store.getExecution(created.id), created)
        const patch = { runOutput: json, publishedResult: json }
        const changed = await store.updateExecution({ executionId: created.id, patch })
        assert.deepEqual(changed.runOutput, plain(json))
        assert.deepEqual(await store.getExecution(created.id), changed)
        const sent = (await store.readOutbox({ destination: 'n', limit: 1_000 })).at(-1)
        assert.deepEqual(sent?.body, plain(json))
      }
      const labels = Object.assign(Object.create(null) as Record<string, string>, { team: 'blue' })
      const job = await newJob(store, { labels })
      assert.deepEqual(job.labels, { team: 'blue' })
      assert.deepEqual(await store.getJob(job.id), job)
    },
  },
  {
    name: 'what JSON does not carry is refused with its place, wherever JSON is taken',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store, { submitKey: 'taken', spec: { Tasks: [{ x: null }] } })
      const { id: executionId } = await store.createExecution({ jobId, nodeId: 'n' })
      const report = { executionId, nodeId: 'n', computeRevision: 2 }
      const body = { destination: 'n', body: null }
      await assertRefused(store, [
        ...jsonMistakes('spec', (spec) => submit(store, { spec })),
        // Written as JSON, some of them would be what the key stands for.
        ...jsonMistakes('spec', (spec) => submit(store, { spec, submitKey: 'taken' })),
        ...jsonMistakes('spec', (spec) => store.reviseJob({ jobId, spec })),
        ...jsonMistakes('labels', (labels) => submit(store, { labels })),
        ...jsonMistakes('labels', (labels) => store.reviseJob({ jobId, labels })),
        ...jsonMistakes('event.details', (details) => store.addHistory({ jobId, event: { details } })),
        ...jsonMistakes('event.details', (details) =>
          store.transitionJob({ jobId, to: 'Running', event: { details } }),
        ),
        ...jsonMistakes('outbox[1].body', (value) =>
          submit(store, { outbox: [body, { destination: 'n', body: value }] }),
        ),
        ...jsonMistakes('resources', (resources) => store.createExecution({ jobId, nodeId: 'n', resources })),
        ...jsonMistakes('patch.runOutput', (runOutput) =>
          store.updateExecution({ executionId, patch: { runOutput } }),
        ),
        ...jsonMistakes('patch.publishedResult', (publishedResult) =>
          store.recordExecution({ ...report, patch: { publishedResult } }),
        ),
      ])
    },
  },
]

/** What a value is after it was JSON. */
function plain(json: Json): Json {
  return JSON.parse(JSON.stringify(json)) as Json
}
