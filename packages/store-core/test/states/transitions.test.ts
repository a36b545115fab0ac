import assert from 'node:assert/strict'

import { describe, test } from 'vitest'

import { isStoreError } from '../../src/errors.ts'
import { labelsMatch } from '../../src/jobs/label-match.ts'
import { COMPUTE_MACHINE, COMPUTE_STATES, LIVE_COMPUTE_STATES } from '../../src/states/compute-state.ts'
import { EXECUTION_MACHINE, EXECUTION_STATES } from '../../src/states/execution-state.ts'
import { JOB_MACHINE, JOB_STATES } from '../../src/states/job-state.ts'
import { checkTransition, type Expectation, type StateMachine } from '../../src/states/transitions.ts'

/** Which states each state leads to, one letter a state in the order of the states: x legal, . refused. */
const JOBS = {
  Pending: '.xxxxx',
  Queued: '..xxxx',
  Running: '.x.xxx',
  Completed: '......',
  Failed: '......',
  Stopped: '......',
}
const EXECUTIONS = {
  New: '.xxxxxxxxxx',
  AskForBid: '..xxxxxxxxx',
  AskForBidAccepted: '....xxxxxxx',
  AskForBidRejected: '...........',
  BidAccepted: '.....xx.xxx',
  Running: '......x.xxx',
  Publishing: '........xxx',
  BidRejected: '...........',
  Completed: '...........',
  Failed: '...........',
  Cancelled: '...........',
}
const COMPUTE = {
  Created: '.x....xxx',
  BidAccepted: '..x....xx',
  Running: '..x..xxxx',
  WaitingVerification: '....x..xx',
  ResultAccepted: '.....xxxx',
  Publishing: '......xxx',
  Completed: '.........',
  Failed: '.........',
  Cancelled: '.........',
}

function codeOf(call: () => void): string | null {
  try {
    call()
    return null
  } catch (error) {
    assert.ok(isStoreError(error), String(error))
    return error.code
  }
}

function describeMachine<S extends string>(
  name: string,
  machine: StateMachine<S>,
  states: readonly S[],
  table: Readonly<Record<S, string>>,
): void {
  describe(name, () => {
    test('the states are those of the table, in its order', () => {
      assert.deepEqual(machine.states, states)
      assert.deepEqual(Object.keys(table), [...states])
      assert.deepEqual(Object.keys(machine.edges).sort(), [...states].sort())
    })

    test('every pair of states is legal or refused as the table says', () => {
      for (const from of states) {
        for (const [index, to] of states.entries()) {
          const legal = table[from][index] === 'x'
          const code = codeOf(() => {
            checkTransition(machine, { id: 'x', state: from, revision: 1 }, {}, to)
          })
          const ended = machine.terminal.has(from)
          const expected = legal ? null : ended ? 'ALREADY_TERMINAL' : 'ILLEGAL_TRANSITION'
          assert.equal(code, expected, `${from} to ${to}`)
        }
      }
    })

    test('what has ended leads nowhere, everything else to an end', () => {
      for (const from of states) {
        const ends = machine.edges[from].filter((to) => machine.terminal.has(to))
        assert.equal(ends.length === 0, machine.terminal.has(from), from)
        if (machine.terminal.has(from)) assert.deepEqual(machine.edges[from], [])
      }
    })

    test('a change of fields alone is refused only where the record has ended', () => {
      for (const state of states) {
        const code = codeOf(() => {
          checkTransition(machine, { id: 'x', state, revision: 1 }, {}, null)
        })
        assert.equal(code, machine.terminal.has(state) ? 'ALREADY_TERMINAL' : null)
      }
    })
  })
}

describeMachine('jobs', JOB_MACHINE, JOB_STATES, JOBS)
describeMachine('executions of the requester', EXECUTION_MACHINE, EXECUTION_STATES, EXECUTIONS)
describeMachine('executions of the compute node', COMPUTE_MACHINE, COMPUTE_STATES, COMPUTE)

test('the live states of a compute node are those between acceptance and end', () => {
  assert.deepEqual(
    [...LIVE_COMPUTE_STATES],
    ['BidAccepted', 'Running', 'WaitingVerification', 'ResultAccepted', 'Publishing'],
  )
})

test('no edge leads into the states that come from imported records alone', () => {
  for (const from of COMPUTE_STATES.filter((state) => state !== 'WaitingVerification')) {
    assert.ok(!COMPUTE_MACHINE.edges[from].includes('WaitingVerification'))
    assert.ok(!COMPUTE_MACHINE.edges[from].includes('ResultAccepted'))
  }
})

test('checks come in order: states, revision, ended, legal; each names what was found', () => {
  const ended = { id: 'x', state: 'Completed' as const, revision: 3 }
  const check = (expectation: Expectation<(typeof JOB_STATES)[number]>) => {
    try {
      checkTransition(JOB_MACHINE, ended, expectation, 'Pending')
    } catch (error) {
      assert.ok(isStoreError(error))
      return [error.code, error.details.id, error.details.actual]
    }
    return null
  }
  const states = {
    expectedStates: ['Running'],
    unexpectedStates: ['Completed'],
    expectedRevision: 9,
  } as const
  assert.deepEqual(check(states), ['STATE_CONFLICT', 'x', 'Completed'])
  assert.deepEqual(check({ ...states, expectedStates: ['Completed'] }), ['STATE_CONFLICT', 'x', 'Completed'])
  assert.deepEqual(check({ expectedRevision: 9 }), ['REVISION_CONFLICT', 'x', 3])
  assert.deepEqual(check({ expectedRevision: 3 }), ['ALREADY_TERMINAL', 'x', 'Completed'])
  assert.deepEqual(check({ expectedStates: [], unexpectedStates: [] }), [
    'ALREADY_TERMINAL',
    'x',
    'Completed',
  ])
})

test('a condition on a label with an unknown key is refused with the nearest one', () => {
  const requirement = { key: 'team', operator: 'exists', values: [], value: 'a' } as const
  assert.throws(() => labelsMatch({}, [requirement]), {
    name: 'TypeError',
    message: 'labelsMatch: unknown key value; did you mean values?',
  })
})
