import assert from 'node:assert/strict'
import type { Execution } from '@saltcod/store-core'
import { test } from 'vitest'
import { standingOrder } from '../../src/requester/standing-order.ts'
import { jobOf } from '../compute/fixture.ts'

const ORDER = {
  kind: 'ask-for-bid',
  executionId: 'e-1',
  job: jobOf('noop', {}),
  partition: null,
  approved: true,
  rerunnable: false,
  deadlineAtMs: null,
} as const

const ASKED: Execution = {
  id: 'e-1',
  jobId: 'j-1',
  jobVersion: 1,
  namespace: 'default',
  nodeId: 'n-1',
  evaluationId: null,
  partition: null,
  state: 'New',
  stateMessage: '',
  endReason: null,
  stateSinceMs: 1,
  desiredState: 'Pending',
  desiredMessage: '',
  previousExecutionId: null,
  endsBefore: 0,
  resources: null,
  publishedResult: null,
  runOutput: null,
  computeRevision: 0,
  revision: 1,
  createdAtMs: 1,
  modifiedAtMs: 1,
  finishedAtMs: null,
  deadlineAtMs: null,
}

const CASES: readonly (readonly [string, Partial<Execution> | null, object])[] = [
  ['that was never heard of is given again', { state: 'New', computeRevision: 0 }, ORDER],
  [
    'that its node took on is not given again, only asked after',
    { state: 'Running', computeRevision: 2 },
    { kind: 'bid-accepted', executionId: 'e-1' },
  ],
  [
    'that is not wanted any more is taken back',
    { state: 'Failed', endReason: 'node-lost', stateMessage: 'too long', computeRevision: 0 },
    { kind: 'cancel', executionId: 'e-1', reason: 'too long', endReason: 'node-lost' },
  ],
  [
    'that is about to be stopped is taken back',
    { state: 'New', desiredState: 'Stopped', desiredMessage: 'enough', endReason: null, computeRevision: 0 },
    { kind: 'cancel', executionId: 'e-1', reason: 'enough', endReason: 'stopped' },
  ],
  ['that was given up is forgotten', null, { kind: 'forget', executionId: 'e-1' }],
]

test.each(CASES)('an order %s', (_, execution, said) => {
  const known = execution === null ? null : { ...ASKED, ...execution }
  assert.deepEqual(standingOrder(ORDER, known), said)
})
