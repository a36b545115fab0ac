import assert from 'node:assert/strict'
import { EXECUTION_STATES } from '@saltcod/store-core'
import { test } from 'vitest'
import { NEWEST_CLIENT, OWN_CLIENT_VERSION, readClientVersion } from '../src/wire/client-version.ts'
import { executionStateName, executionStateNumber } from '../src/wire/state-number.ts'

test('versions are read, and what is not given counts as the newest, which knows no names of one job', () => {
  for (const header of [
    'v0.0.0',
    'v0.0.0-1a2b3c4',
    'v1.8.0',
    'v1.9.3',
    '2.0.0',
    'v1.10.0',
    OWN_CLIENT_VERSION,
  ]) {
    assert.deepEqual(readClientVersion(header), { client: NEWEST_CLIENT }, header)
  }
  for (const header of [undefined, '']) {
    assert.deepEqual(readClientVersion(header), { client: { ...NEWEST_CLIENT, uniqueNames: false } })
  }
  const v17 = { ...NEWEST_CLIENT, uniqueNames: false, jobsInExecutions: false }
  assert.deepEqual(readClientVersion('v1.7.0'), { client: v17 })
  assert.deepEqual(readClientVersion('v1.5.2'), { client: { ...v17, newNetworkTypes: false } })
  const v15 = { ...v17, newNetworkTypes: false, newStateNumbers: false }
  assert.deepEqual(readClientVersion('v1.5.1'), { client: v15 })
  assert.deepEqual(readClientVersion('v1.4.0'), { client: { ...v15, errorObjects: false } })
  assert.deepEqual(readClientVersion('v1.3.2'), { refused: 'outdated' })
  assert.deepEqual(readClientVersion('one.two'), { refused: 'invalid' })
})

test('execution states have the numbers of each release', () => {
  const latest = NEWEST_CLIENT
  assert.deepEqual(
    EXECUTION_STATES.map((state) => executionStateNumber(state, latest)),
    // New AskForBid Accepted Rejected BidAccepted Running Publishing BidRejected Completed Failed Cancelled
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  )
  assert.deepEqual(
    EXECUTION_STATES.map((state) => executionStateNumber(state, { ...latest, newStateNumbers: false })),
    [1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 9],
  )
  for (const state of EXECUTION_STATES) {
    assert.equal(executionStateName(executionStateNumber(state, latest)), state)
  }
  assert.equal(executionStateName(0), 'Undefined')
  assert.equal(executionStateName(99), 'Undefined')
})
