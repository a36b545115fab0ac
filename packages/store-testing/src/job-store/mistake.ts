import assert from 'node:assert/strict'

import type { JobStore } from '@saltcod/store-core'
import {
  JOB_STORE_FIELDS,
  MAX_DETAILS,
  MAX_MESSAGE_LENGTH,
  MAX_TEXT_BYTES,
  MAX_TOPIC_LENGTH,
} from '@saltcod/store-core/backend'
import { assertRejects } from '../kv/expectation.ts'
import {
  assertRefused,
  JSON_OF_NO_OBJECT,
  JSON_OF_NO_TEXT,
  type Mistake,
  NO_AMOUNTS,
  NO_LISTS,
  NO_NUMBERS,
  NO_OBJECTS,
  NO_TEXTS,
  noRequests,
} from '../store/mistake.ts'
import { type JobCase, newJob, submit } from './job-case.ts'

const AMOUNTS = { types: NO_NUMBERS, values: [...NO_AMOUNTS, 1.5] }
const FLAGS = { types: [null, 1, 'yes', {}] }

/** Cases about calls that no caller should make: each is refused in its own way, and leaves the store as it was. */
export const jobMistakeCases: readonly JobCase[] = [
  {
    name: 'a job of wrong types or out of its limits is not taken',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      await assertRefused(store, [...submitMistakes(store), ...eventMistakes(store, jobId)])
      await assertRefused(store, changeMistakes(store, jobId))
    },
  },
  {
    name: 'an execution, a change or a report of wrong types or out of its limits is not taken',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n' })
      await assertRefused(store, executionMistakes(store, jobId))
      await assertRefused(
        store,
        patchMistakes((patch) => store.updateExecution({ executionId: id, patch })),
      )
      const report = { executionId: id, nodeId: 'n', computeRevision: 2 }
      await assertRefused(
        store,
        patchMistakes((patch) => store.recordExecution({ ...report, patch })),
      )
      await assertRefused(store, reportMistakes(store, report))
      assert.equal(await store.recordExecution({ ...report, to: 'Bogus' as never }), 'stale')
      assert.equal(await store.recordExecution({ ...report, to: 'Completed' }), 'applied')
    },
  },
  {
    name: 'a piece of work, and its end, are what is known and nothing else',
    needs: 'single opening',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store, { evaluation: { trigger: 'job-register' } })
      await assertRefused(store, evaluationMistakes(store, jobId))
      const claim = await store.claimEvaluation({ holder: 'worker', leaseMs: 60_000 })
      assert.ok(claim)
      // What is missing is told by the name of its key.
      const { lease } = claim
      await assert.rejects(store.retryEvaluation({ lease, delayMs: 0 } as never), /maxAttempts/)
      await assertRefused(store, leaseMistakes(store, claim))
      await store.completeEvaluation({ lease: claim.lease, status: 'canceled' })
      await assertRefused(store, [
        {
          what: 'olderThanMs',
          types: [...NO_NUMBERS, undefined],
          values: NO_AMOUNTS,
          call: (olderThanMs) => store.trimEvaluations({ olderThanMs }),
        },
      ])
    },
  },
  {
    name: 'a question of wrong types is refused rather than answered with something else',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      await assertRefused(store, lookupMistakes(store))
      await assertRefused(store, noRequests(store, Object.keys(JOB_STORE_FIELDS)))
      await assertRefused(store, listingMistakes(store, jobId))
      await assertRejects(store.listJobs({ cursor: 5 as never }), 'INVALID_CURSOR')
    },
  },
  {
    name: 'messages, topics, comments and details have an end',
    run: async ({ store }) => {
      const long = 'x'.repeat(5_000)
      const { id: jobId } = await newJob(store)
      const event = { message: long, topic: long, details: { long } }
      const { event: kept } = await store.addHistory({ jobId, event })
      assert.deepEqual(
        [kept.message.length, kept.topic.length, kept.details['long']?.length],
        [MAX_MESSAGE_LENGTH, MAX_TOPIC_LENGTH, MAX_MESSAGE_LENGTH],
      )
      const evaluation = await store.createEvaluation({ jobId, trigger: 'job-queue', comment: long })
      assert.equal(evaluation.comment.length, MAX_MESSAGE_LENGTH)
      const many = Object.fromEntries(Array.from({ length: MAX_DETAILS + 1 }, (_, n) => [`${n}`, '']))
      for (const details of [many, { ['x'.repeat(MAX_TEXT_BYTES + 1)]: '' }]) {
        await assertRejects(store.addHistory({ jobId, event: { details } }), 'INVALID_ARGUMENT')
      }
      const execution = { jobId, nodeId: 'n', resources: 'x'.repeat(1_000_000) }
      await assertRejects(store.createExecution(execution), 'INVALID_ARGUMENT')
    },
  },
]

function submitMistakes(store: JobStore): Mistake[] {
  const one = (field: string) => (value: never) => submit(store, { [field]: value })
  return [
    { what: 'request', types: [...NO_OBJECTS, undefined], call: (request) => store.submitJob(request) },
    { what: 'id', types: [5, {}, true], call: one('id') },
    { what: 'type', types: [...NO_TEXTS, undefined], values: ['', 'x'], call: one('type') },
    { what: 'spec', types: [undefined], call: one('spec') },
    { what: 'priority', types: NO_NUMBERS.slice(1), values: [Number.NaN, 0.5], call: one('priority') },
    { what: 'count', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: one('count') },
    { what: 'labels', types: JSON_OF_NO_OBJECT.slice(1), call: one('labels') },
    { what: 'label', types: JSON_OF_NO_TEXT, call: (value) => submit(store, { labels: { label: value } }) },
    { what: 'deadlineAtMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: one('deadlineAtMs') },
    { what: 'evaluation', types: NO_OBJECTS.slice(1), call: one('evaluation') },
    { what: 'requestId', types: NO_TEXTS, values: [''], call: one('requestId') },
  ]
}

function eventMistakes(store: JobStore, jobId: string): Mistake[] {
  const one = (field: string) => (value: never) => store.addHistory({ jobId, event: { [field]: value } })
  return [
    { what: 'event', types: [...NO_OBJECTS, undefined], call: (event) => store.addHistory({ jobId, event }) },
    { what: 'message', types: NO_TEXTS, call: one('message') },
    { what: 'topic', types: NO_TEXTS, call: one('topic') },
    { what: 'details', types: JSON_OF_NO_OBJECT, call: one('details') },
    { what: 'detail', types: JSON_OF_NO_TEXT, call: (value) => one('details')({ detail: value } as never) },
  ]
}

function changeMistakes(store: JobStore, jobId: string): Mistake[] {
  const move = (field: string) => (value: never) =>
    store.transitionJob({ jobId, to: 'Running', [field]: value })
  const revise = (field: string) => (value: never) => store.reviseJob({ jobId, [field]: value })
  return [
    { what: 'to', types: [...NO_TEXTS, undefined], call: move('to') },
    { what: 'message', types: NO_TEXTS.slice(1), call: move('message') },
    { what: 'event', types: NO_OBJECTS, call: move('event') },
    { what: 'jobId', types: [...NO_TEXTS, undefined], call: move('jobId') },
    { what: 'expectedStates', types: [...NO_LISTS, [5]], values: [['Bogus']], call: move('expectedStates') },
    { what: 'unexpectedStates', types: NO_LISTS, values: [['Bogus']], call: move('unexpectedStates') },
    { what: 'expectedRevision', ...AMOUNTS, call: move('expectedRevision') },
    { what: 'deadlineAtMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: revise('deadlineAtMs') },
    { what: 'revised labels', types: JSON_OF_NO_OBJECT.slice(1), call: revise('labels') },
    {
      what: 'hold',
      types: [undefined, 5, {}],
      values: [''],
      call: (reason) => store.holdJob({ jobId, reason }),
    },
    {
      what: 'deleteJob',
      ...AMOUNTS,
      call: (expectedRevision) => store.deleteJob({ jobId, expectedRevision }),
    },
  ]
}

function executionMistakes(store: JobStore, jobId: string): Mistake[] {
  const one = (field: string) => (value: never) =>
    store.createExecution({ jobId, nodeId: 'n', [field]: value })
  return [
    { what: 'nodeId', types: [...NO_TEXTS, undefined], values: [''], call: one('nodeId') },
    { what: 'jobVersion', types: NO_NUMBERS, values: [...NO_AMOUNTS, 1.5, 0], call: one('jobVersion') },
    { what: 'state', types: NO_TEXTS, values: ['Bogus', 'Running'], call: one('state') },
    { what: 'desiredState', types: NO_TEXTS, values: ['Bogus'], call: one('desiredState') },
    { what: 'desiredMessage', types: NO_TEXTS, call: one('desiredMessage') },
    { what: 'evaluationId', types: NO_TEXTS, values: [''], call: one('evaluationId') },
    { what: 'previousExecutionId', types: NO_TEXTS, values: [''], call: one('previousExecutionId') },
    { what: 'endsBefore', types: NO_NUMBERS, values: NO_AMOUNTS, call: one('endsBefore') },
    { what: 'partition', types: NO_NUMBERS.slice(1), values: [...NO_AMOUNTS, 1.5], call: one('partition') },
    { what: 'deadlineAtMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: one('deadlineAtMs') },
  ]
}

function patchMistakes(change: (patch: never) => Promise<unknown>): Mistake[] {
  const one = (field: string) => (value: never) => change({ [field]: value } as never)
  return [
    { what: 'patch', types: NO_OBJECTS, call: change },
    { what: 'desiredState', types: NO_TEXTS, values: ['Bogus'], call: one('desiredState') },
    { what: 'desiredMessage', types: NO_TEXTS.slice(1), call: one('desiredMessage') },
    { what: 'deadlineAtMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: one('deadlineAtMs') },
  ]
}

function reportMistakes(store: JobStore, report: Parameters<JobStore['recordExecution']>[0]): Mistake[] {
  const one = (field: string) => (value: never) => store.recordExecution({ ...report, [field]: value })
  const endAs = (to: never) => store.recordExecution({ ...report, to, endReason: 'failed' })
  const leave = (from: never) => one('job')({ to: 'Queued', from } as never)
  return [
    { what: 'to of an end', types: [5, Symbol('x')], call: endAs },
    { what: 'states that the job leaves', types: [...NO_LISTS, undefined], call: leave },
    {
      what: 'computeRevision',
      types: [...NO_NUMBERS, undefined],
      values: [...NO_AMOUNTS, 1.5],
      call: one('computeRevision'),
    },
    { what: 'executionId', types: [...NO_TEXTS, undefined], call: one('executionId') },
    { what: 'nodeId', types: [...NO_TEXTS, undefined], call: one('nodeId') },
    { what: 'to', types: NO_TEXTS, call: one('to') },
    { what: 'endReason', types: NO_TEXTS, values: ['', 'Bogus', 'failed'], call: one('endReason') },
    { what: 'message', types: NO_TEXTS, call: one('message') },
    { what: 'evaluation', types: NO_OBJECTS, call: one('evaluation') },
  ]
}

function evaluationMistakes(store: JobStore, jobId: string): Mistake[] {
  const one = (field: string) => (value: never) =>
    store.createEvaluation({ jobId, trigger: 'job-queue', [field]: value })
  const claim = (field: string) => (value: never) =>
    store.claimEvaluation({ holder: 'worker', leaseMs: 1_000, [field]: value })
  return [
    { what: 'trigger', types: [...NO_TEXTS, undefined], values: ['', 'Bogus'], call: one('trigger') },
    { what: 'comment', types: NO_TEXTS, call: one('comment') },
    { what: 'priority', types: NO_NUMBERS, values: [Number.NaN, 0.5], call: one('priority') },
    { what: 'dueAtMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: one('dueAtMs') },
    { what: 'coalesce', ...FLAGS, call: one('coalesce') },
    { what: 'holder', types: [...NO_TEXTS, undefined], values: [''], call: claim('holder') },
    {
      what: 'leaseMs',
      types: [...NO_NUMBERS, undefined],
      values: [...NO_AMOUNTS, 0],
      call: claim('leaseMs'),
    },
    { what: 'jobTypes', types: [...NO_LISTS, [5]], values: [['Bogus']], call: claim('jobTypes') },
    { what: 'maxAttempts', types: NO_NUMBERS, values: [...NO_AMOUNTS, 0], call: claim('maxAttempts') },
  ]
}

function leaseMistakes(
  store: JobStore,
  { lease }: NonNullable<Awaited<ReturnType<JobStore['claimEvaluation']>>>,
): Mistake[] {
  const end = (field: string) => (value: never) => store.completeEvaluation({ lease, [field]: value })
  const retry = (field: string) => (value: never) =>
    store.retryEvaluation({ lease, delayMs: 1, maxAttempts: 3, comment: '', [field]: value })
  const plan = (field: string) => (value: never) => store.applyPlan({ lease, [field]: value })
  return [
    {
      what: 'status',
      types: NO_TEXTS.slice(1),
      values: ['', 'pending', 'failed', 'done'],
      call: end('status'),
    },
    { what: 'lease', types: [...NO_OBJECTS, undefined, {}], call: end('lease') },
    { what: 'comment of the end', types: NO_TEXTS.slice(1), call: end('comment') },
    {
      what: 'delayMs',
      types: [...NO_NUMBERS, undefined],
      values: [...NO_AMOUNTS, 1.5],
      call: retry('delayMs'),
    },
    {
      what: 'maxAttempts',
      types: [...NO_NUMBERS, undefined],
      values: NO_AMOUNTS,
      call: retry('maxAttempts'),
    },
    { what: 'comment of a retry', types: [...NO_TEXTS, undefined], call: retry('comment') },
    {
      what: 'prolonged lease',
      types: [...NO_OBJECTS, undefined, {}],
      call: (given) => store.extendLease({ lease: given, leaseMs: 1_000 }),
    },
    {
      what: 'leaseMs',
      types: [...NO_NUMBERS, undefined],
      values: [...NO_AMOUNTS, 0],
      call: (leaseMs) => store.extendLease({ lease, leaseMs }),
    },
    ...['newExecutions', 'updates', 'events', 'followUps'].flatMap((part): Mistake[] => [
      { what: part, types: NO_LISTS, call: plan(part) },
      { what: `one of ${part}`, types: NO_OBJECTS, call: (value) => plan(part)([value] as never) },
    ]),
    { what: 'job', types: NO_OBJECTS, call: plan('job') },
  ]
}

function lookupMistakes(store: JobStore): Mistake[] {
  const types = [...NO_TEXTS, undefined]
  return [
    { what: 'getJob', types, call: (id) => store.getJob(id) },
    {
      what: 'version',
      types: NO_NUMBERS,
      values: NO_AMOUNTS.slice(0, 2),
      call: (version) => store.getJob('j', version),
    },
    { what: 'getJobByName', types, call: (name) => store.getJobByName('default', name) },
    { what: 'namespace of a name', types, call: (namespace) => store.getJobByName(namespace, 'a') },
    { what: 'findJob', types, call: (text) => store.findJob(text) },
    { what: 'listJobVersions', types, call: (id) => store.listJobVersions(id) },
    { what: 'measureJob', types, call: (id) => store.measureJob(id) },
    { what: 'deleteJob', types, call: (jobId) => store.deleteJob({ jobId }) },
    { what: 'getExecution', types, call: (id) => store.getExecution(id) },
    { what: 'findExecution', types, call: (text) => store.findExecution(text) },
    { what: 'getEvaluation', types, call: (id) => store.getEvaluation(id) },
  ]
}

function listingMistakes(store: JobStore, jobId: string): Mistake[] {
  const jobs = (field: string) => (value: never) => store.listJobs({ [field]: value })
  const executions = (field: string) => (value: never) => store.listExecutions({ jobId, [field]: value })
  const history = (field: string) => (value: never) => store.listHistory({ jobId, [field]: value })
  const label = (field: string) => (value: never) =>
    store.listJobs({ labels: [{ key: 'a', operator: '=', values: ['b'], [field]: value }] })
  return [
    { what: 'listJobs', types: NO_OBJECTS, call: (query) => store.listJobs(query) },
    { what: 'namespace', types: NO_TEXTS, call: jobs('namespace') },
    { what: 'states', types: [...NO_LISTS, [5]], values: [['Bogus']], call: jobs('states') },
    { what: 'type', types: NO_TEXTS, values: ['Bogus'], call: jobs('type') },
    { what: 'inProgress', ...FLAGS, call: jobs('inProgress') },
    { what: 'reverse', ...FLAGS, call: jobs('reverse') },
    { what: 'limit', ...AMOUNTS, call: jobs('limit') },
    { what: 'sinceMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: jobs('sinceMs') },
    { what: 'untilMs', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: jobs('untilMs') },
    { what: 'labels', types: [...NO_LISTS, [5]], call: jobs('labels') },
    { what: 'key', types: NO_TEXTS, call: label('key') },
    { what: 'operator', types: NO_TEXTS, values: ['~'], call: label('operator') },
    { what: 'values', types: [...NO_LISTS, [5]], call: label('values') },
    {
      what: 'finished state',
      types: [...NO_TEXTS, undefined],
      values: ['Running'],
      call: (state) => store.listFinishedJobs({ namespace: 'default', state }),
    },
    {
      what: 'namespace of the finished',
      types: [...NO_TEXTS, undefined],
      call: (namespace) => store.listFinishedJobs({ namespace, state: 'Failed' }),
    },
    { what: 'jobVersion', ...AMOUNTS, call: executions('jobVersion') },
    { what: 'nodeId', types: NO_TEXTS, call: executions('nodeId') },
    { what: 'execution states', types: NO_LISTS, values: [['Bogus']], call: executions('states') },
    {
      what: 'status',
      types: NO_TEXTS,
      values: ['Bogus'],
      call: (status) => store.listEvaluations({ status }),
    },
    { what: 'level', types: NO_TEXTS, values: ['Bogus'], call: history('level') },
    { what: 'version of history', ...AMOUNTS, call: history('jobVersion') },
    { what: 'executionIdPrefix', types: NO_TEXTS, call: history('executionIdPrefix') },
    { what: 'nodeIdPrefix', types: NO_TEXTS, call: history('nodeIdPrefix') },
    { what: 'time of history', types: NO_NUMBERS.slice(1), values: NO_AMOUNTS, call: history('sinceMs') },
    { what: 'afterSequence', ...AMOUNTS, call: history('afterSequence') },
  ]
}
