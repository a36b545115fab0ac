import assert from 'node:assert/strict'

import type { ComputeExecutionPatch, ExecutionStore } from '@saltcod/store-core'
import { EXECUTION_STORE_FIELDS } from '@saltcod/store-core/backend'
import {
  assertRefused,
  type Mistake,
  NO_AMOUNTS,
  NO_LISTS,
  NO_NUMBERS,
  NO_OBJECTS,
  NO_TEXTS,
  noRequests,
} from '../store/mistake.ts'
import { jsonMistakes, UNUSUAL_JSON } from '../store/no-json.ts'
import { create, type ExecutionCase, JOB } from './execution-case.ts'

const PROCESS = { pid: 1, startTime: '1', bootId: 'b' }

/** Cases about calls that no caller should make: each is refused in its own way, and leaves the store as it was. */
export const executionMistakeCases: readonly ExecutionCase[] = [
  {
    name: 'an execution of wrong types or out of its limits is not taken',
    run: async ({ store }) => {
      await create(store)
      await assertRefused(store, [...creationMistakes(store), ...jobMistakes(store)])
    },
  },
  {
    name: 'a change or a question of wrong types or out of its limits is refused',
    run: async ({ store }) => {
      const { id } = await create(store)
      await assertRefused(store, [...updateMistakes(store, id), ...questionMistakes(store)])
      await assertRefused(store, noRequests(store, Object.keys(EXECUTION_STORE_FIELDS)))
    },
  },
  {
    name: 'what JSON carries comes back as it was, wherever it is taken',
    run: async ({ store }) => {
      for (const json of UNUSUAL_JSON) {
        const created = await create(store, { job: { ...JOB, spec: json }, resources: json })
        assert.deepEqual(created.job.spec, JSON.parse(JSON.stringify(json)))
        assert.deepEqual(await store.getExecution(created.id), created)
        const patch = { runOutput: json, publishedResult: json }
        const changed = await store.updateExecution({ executionId: created.id, patch })
        assert.deepEqual(await store.getExecution(created.id), { ...changed, job: created.job })
      }
    },
  },
  {
    name: 'what JSON does not carry is refused with its place, wherever JSON is taken',
    run: async ({ store }) => {
      const { id: executionId } = await create(store)
      const change = (patch: ComputeExecutionPatch) => store.updateExecution({ executionId, patch })
      await assertRefused(store, [
        ...jsonMistakes('job.spec', (spec) => create(store, { job: { ...JOB, spec } })),
        ...jsonMistakes('resources', (resources) => create(store, { resources })),
        ...jsonMistakes('patch.resources', (resources) => change({ resources })),
        ...jsonMistakes('patch.runOutput', (runOutput) => change({ runOutput })),
        ...jsonMistakes('patch.publishedResult', (publishedResult) => change({ publishedResult })),
        ...jsonMistakes('event.details', (details) => store.addHistory({ executionId, event: { details } })),
        ...jsonMistakes('outbox[0].body', (body) => create(store, { outbox: [{ destination: 'n', body }] })),
      ])
    },
  },
]

function creationMistakes(store: ExecutionStore): Mistake[] {
  const one = (field: string) => (value: never) => create(store, { [field]: value })
  return [
    { what: 'request', types: [...NO_OBJECTS, undefined], call: (request) => store.createExecution(request) },
    { what: 'id', types: [...NO_TEXTS, undefined], values: ['', '../x'], call: one('id') },
    { what: 'requesterId', types: [...NO_TEXTS, undefined], values: [''], call: one('requesterId') },
    { what: 'state', types: NO_TEXTS, values: ['Bogus', 'Running'], call: one('state') },
    { what: 'partition', types: NO_NUMBERS.slice(1), values: [...NO_AMOUNTS, 1.5], call: one('partition') },
    { what: 'rerunnable', types: [null, 1, 'yes'], call: one('rerunnable') },
    { what: 'deadlineAtMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: one('deadlineAtMs') },
  ]
}

function jobMistakes(store: ExecutionStore): Mistake[] {
  const one = (field: string) => (value: never) => create(store, { job: { ...JOB, [field]: value } })
  return [
    { what: 'job', types: [...NO_OBJECTS, undefined], call: (job) => create(store, { job }) },
    { what: 'job id', types: [...NO_TEXTS, undefined], values: [''], call: one('id') },
    {
      what: 'version',
      types: [...NO_NUMBERS, undefined],
      values: [...NO_AMOUNTS, 0, 1.5],
      call: one('version'),
    },
    { what: 'namespace', types: [...NO_TEXTS, undefined], values: [''], call: one('namespace') },
    { what: 'name', types: [...NO_TEXTS, undefined], values: [''], call: one('name') },
    { what: 'type', types: [...NO_TEXTS, undefined], values: ['Bogus'], call: one('type') },
    { what: 'priority', types: [...NO_NUMBERS, undefined], values: [Number.NaN, 0.5], call: one('priority') },
    { what: 'count', types: NO_NUMBERS, values: [...NO_AMOUNTS, 1.5], call: one('count') },
    { what: 'spec', types: [undefined], call: one('spec') },
  ]
}

function updateMistakes(store: ExecutionStore, executionId: string): Mistake[] {
  const one = (field: string) => (value: never) => store.updateExecution({ executionId, [field]: value })
  const patch = (field: string) => (value: never) => one('patch')({ [field]: value } as never)
  const process = (field: string) => (value: never) =>
    patch('process')({ ...PROCESS, [field]: value } as never)
  const endAs = (to: never) => store.updateExecution({ executionId, to, endReason: 'failed' })
  return [
    { what: 'executionId', types: [...NO_TEXTS, undefined], call: one('executionId') },
    { what: 'to', types: NO_TEXTS.slice(1), call: one('to') },
    { what: 'to of an end', types: [5, Symbol('x')], call: endAs },
    { what: 'endReason', types: NO_TEXTS, values: ['', 'Bogus', 'failed'], call: one('endReason') },
    { what: 'expectedStates', types: NO_LISTS, values: [['Bogus']], call: one('expectedStates') },
    { what: 'expectedRevision', types: NO_NUMBERS, values: NO_AMOUNTS, call: one('expectedRevision') },
    { what: 'message', types: NO_TEXTS.slice(1), call: one('message') },
    { what: 'event', types: NO_OBJECTS.slice(1), call: one('event') },
    { what: 'patch', types: NO_OBJECTS, call: one('patch') },
    { what: 'attempt', types: NO_NUMBERS, values: [...NO_AMOUNTS, 1.5], call: patch('attempt') },
    { what: 'process', types: NO_OBJECTS.slice(1), call: patch('process') },
    { what: 'pid', types: [...NO_NUMBERS, undefined], values: NO_AMOUNTS, call: process('pid') },
    { what: 'startTime', types: [...NO_TEXTS, undefined], call: process('startTime') },
    { what: 'bootId', types: [...NO_TEXTS, undefined], call: process('bootId') },
    { what: 'runOutput', values: ['x'.repeat(1_000_000)], call: patch('runOutput') },
    { what: 'deadlineAtMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: patch('deadlineAtMs') },
    {
      what: 'acknowledged revision',
      types: [...NO_NUMBERS, undefined],
      values: [...NO_AMOUNTS, 1.5],
      call: (revision) => store.acknowledgeExecution({ executionId, revision }),
    },
    {
      what: 'event of history',
      types: [...NO_OBJECTS, undefined],
      call: (event) => store.addHistory({ executionId, event }),
    },
  ]
}

function questionMistakes(store: ExecutionStore): Mistake[] {
  const list = (field: string) => (value: never) => store.listExecutions({ [field]: value })
  const types = [...NO_TEXTS, undefined]
  return [
    { what: 'getExecution', types, call: (id) => store.getExecution(id) },
    { what: 'findExecution', types, call: (text) => store.findExecution(text) },
    { what: 'measureExecution', types, call: (id) => store.measureExecution(id) },
    { what: 'deleteExecution', types, call: (executionId) => store.deleteExecution({ executionId }) },
    { what: 'listHistory', types, call: (executionId) => store.listHistory({ executionId }) },
    { what: 'listExecutions', types: NO_OBJECTS, call: (query) => store.listExecutions(query) },
    { what: 'jobId', types: NO_TEXTS, call: list('jobId') },
    { what: 'states', types: [...NO_LISTS, [5]], values: [['Bogus']], call: list('states') },
    { what: 'inProgress', types: [null, 1, 'yes'], call: list('inProgress') },
    { what: 'live', types: [null, 1, 'yes'], call: list('live') },
    {
      what: 'finished state',
      types,
      values: ['Running'],
      call: (state) => store.listFinishedExecutions({ state }),
    },
    { what: 'checkpoint name', types, values: [''], call: (name) => store.setCheckpoint(name, 1) },
    {
      what: 'checkpoint',
      types: [...NO_NUMBERS, undefined],
      values: [...NO_AMOUNTS, 1.5],
      call: (value) => store.setCheckpoint('name', value),
    },
  ]
}
