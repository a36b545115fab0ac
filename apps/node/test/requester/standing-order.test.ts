import assert from 'node:assert/strict'
import type { Execution } from '@saltcod/store-core'
import { test } from 'vitest'
import { standingOrder } from '../../src/requester/standing-order.ts'
import { jobOf } from '../compute/fixture.ts'
import { blankExecution } from './scheduler/world.ts'

const ORDER = {
  kind: 'ask-for-bid',
  executionId: 'e-1',
  job: jobOf('noop', {}),
  partition: null,
  approved: true,
  rerunnable: false,
  deadlineAtMs: null,
} as const

const ASKED = blankExecution('e-1', 'j-1', 'n-1', 1)

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

test('an order to end what was taken back since is not given, and any other is', () => {
  const cancel = { kind: 'cancel', executionId: 'e-1', reason: 'too long', endReason: 'node-lost' } as const
  assert.deepEqual(standingOrder(cancel, { ...ASKED, state: 'Running' }), {
    kind: 'bid-accepted',
    executionId: 'e-1',
  })
  for (const known of [null, { ...ASKED, state: 'Failed' } as const])
    assert.deepEqual(standingOrder(cancel, known), cancel)
})
