import assert from 'node:assert/strict'
import type { Execution } from '@saltcod/store-core'
import { test } from 'vitest'
import { type BothSides, reconcile } from '../../src/requester/reconciliation.ts'

const CONDITIONS = ['known', 'wiped', 'older', 'goes on'] as const
const ORDERS = [null, 'ask', 'other'] as const

/** An execution as the requester knows it, of which it has heard so much. */
function known(state: Execution['state'], computeRevision: number, desiredState = 'Pending'): Execution {
  return { id: 'e-1', state, computeRevision, desiredState } as Execution
}

const NEVER_HEARD_OF = known('New', 0)
const RUNNING = known('Running', 3)
const ENDED = known('Failed', 3)
const UNWANTED = known('Running', 3, 'Stopped')
const LOST = { ...known('Failed', 3, 'Stopped'), endReason: 'node-lost' } as const

type Cell = readonly [
  what: string,
  sides: Pick<BothSides, 'known' | 'named'>,
  says: (sides: Pick<BothSides, 'condition' | 'order'>) => readonly [string | null, string],
]

/** The table of docs/network.md, cell by cell. */
const CELLS: readonly Cell[] = [
  [
    'unknown here, named',
    { known: null, named: { state: 'Running', revision: 2 } },
    () => ['forget', 'stays'],
  ],
  ['unknown here, not named', { known: null, named: null }, () => [null, 'stays']],
  ['ended here, named', { known: ENDED, named: { state: 'Running', revision: 9 } }, () => ['stop', 'stays']],
  ['ended here, not named', { known: ENDED, named: null }, () => [null, 'stays']],
  ['lost with its node, not named', { known: LOST, named: null }, () => [null, 'stays']],
  [
    'lost with its node, named as it goes on',
    { known: LOST, named: { state: 'Running', revision: 3 } },
    () => ['continue', 'taken-back'],
  ],
  [
    'lost with its node, named as ended',
    { known: LOST, named: { state: 'Completed', revision: 4 } },
    () => ['stop', 'stays'],
  ],
  [
    'lost with its node, named as older',
    { known: LOST, named: { state: 'Running', revision: 2 } },
    () => ['stop', 'stays'],
  ],
  [
    'unwanted here, named',
    { known: UNWANTED, named: { state: 'Running', revision: 3 } },
    () => ['stop', 'stays'],
  ],
  ['unwanted here, not named', { known: UNWANTED, named: null }, () => [null, 'stays']],
  [
    'running, named as it is',
    { known: RUNNING, named: { state: 'Running', revision: 3 } },
    () => ['continue', 'stays'],
  ],
  [
    'running, named as newer',
    { known: RUNNING, named: { state: 'Running', revision: 4 } },
    () => ['continue', 'stays'],
  ],
  [
    'running, named as older',
    { known: RUNNING, named: { state: 'Running', revision: 2 } },
    ({ condition }) => (condition === 'goes on' ? ['come again', 'stays'] : ['stop', 'lost']),
  ],
  [
    'running, not named',
    { known: RUNNING, named: null },
    ({ condition, order }) => {
      if (order === 'other') return [null, 'stays']
      return [null, condition === 'wiped' ? 'lost' : 'lost-unless-reported']
    },
  ],
  [
    'asked for, named',
    { known: NEVER_HEARD_OF, named: { state: 'Running', revision: 1 } },
    () => ['continue', 'stays'],
  ],
  [
    'asked for, not named',
    { known: NEVER_HEARD_OF, named: null },
    ({ condition, order }) => {
      if (order !== null) return [null, 'stays']
      return [null, condition === 'wiped' ? 'lost' : 'lost-unless-reported']
    },
  ],
]

test.each(CELLS)('when hands are shaken, an execution %s', (_, sides, says) => {
  for (const condition of CONDITIONS)
    for (const order of ORDERS) {
      const { answer, record } = reconcile({ ...sides, condition, order })
      assert.deepEqual([answer, record], says({ condition, order }), `${condition}, ${order}`)
    }
})
