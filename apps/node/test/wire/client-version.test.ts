import assert from 'node:assert/strict'
import { EXECUTION_STATES } from '@saltcod/store-core'
import { test } from 'vitest'
import { readClientVersion } from '../../src/wire/client-version.ts'
import { executionStateName, executionStateNumber } from '../../src/wire/state-number.ts'

test('versions are read, and what is not given counts as the newest', () => {
  const latest = { client: { newStateNumbers: true, newNetworkTypes: true } }
  for (const header of [undefined, '', 'v0.0.0', 'v0.0.0-1a2b3c4', 'v1.9.3', '2.0.0', 'v1.10.0']) {
    assert.deepEqual(readClientVersion(header), latest, header)
  }
  assert.deepEqual(readClientVersion('v1.4.0'), {
    client: { newStateNumbers: false, newNetworkTypes: false },
  })
  assert.deepEqual(readClientVersion('v1.5.1'), {
    client: { newStateNumbers: false, newNetworkTypes: false },
  })
  assert.deepEqual(readClientVersion('v1.5.2'), { client: { newStateNumbers: true, newNetworkTypes: false } })
  assert.deepEqual(readClientVersion('v1.3.2'), { refused: 'outdated' })
  assert.deepEqual(readClientVersion('one.two'), { refused: 'invalid' })
})

test('execution states have the numbers of each release', () => {
  const latest = { newStateNumbers: true, newNetworkTypes: true }
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
