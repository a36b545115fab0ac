import { expect, test } from 'vitest'
import { desiredStateOfNumber, numberingOf, stateOfNumber } from '../src/read/numbering.ts'

const FACTS = { ofFile: 'later', lastInHistory: null, inLaterHistory: false, record: {} } as const

test('numbers mean what they meant before v1.5.2, and since', () => {
  const names = (numbering: 'earlier' | 'later'): readonly (string | undefined)[] =>
    [0, 1, 5, 6, 7, 8, 9, 10, 11, 12].map((number) => stateOfNumber(number, numbering))
  expect(names('earlier')).toEqual([
    ...[undefined, 'New', 'BidAccepted', 'BidRejected', 'Completed', 'Failed', 'Cancelled'],
    ...[undefined, undefined, undefined],
  ])
  expect(names('later')).toEqual([
    ...[undefined, 'New', 'BidAccepted', 'Running', 'Publishing', 'BidRejected', 'Completed'],
    ...['Failed', 'Cancelled', undefined],
  ])
  expect([0, 1, 2, 3].map(desiredStateOfNumber)).toEqual(['Pending', 'Running', 'Stopped', undefined])
  for (const odd of [-1, 0.5, Number.NaN, 1e300]) expect(stateOfNumber(odd, 'later')).toBeUndefined()
})

test.each([
  ['below 6 both say the same', 5, {}, 'later', true],
  ['a requester wrote 6 and 7 up to v1.5.1 alone', 7, {}, 'earlier', true],
  ['from 10 on it is of v1.5.2', 11, { ofFile: 'earlier' }, 'later', true],
  ['a file of before has numbers of before', 9, { ofFile: 'earlier' }, 'earlier', true],
  ['the history of before ends with it', 9, { lastInHistory: 9 }, 'earlier', true],
  ['unless a later history goes on', 9, { lastInHistory: 9, inLaterHistory: true }, 'later', false],
  ['8 with an output has failed', 8, { record: { RunOutput: {} } }, 'earlier', true],
  ['8 that was rejected', 8, { record: { DesiredState: { Message: 'bid Rejected' } } }, 'later', true],
  ['8 of which nothing is said', 8, {}, 'later', false],
  [
    '9 that is said to be completed',
    9,
    { record: { DesiredState: { Message: 'execution completed' } } },
    'later',
    true,
  ],
  ['9 that was stopped', 9, { record: { DesiredState: { Message: 'Stopped by user' } } }, 'earlier', true],
  ['9 of which nothing is said', 9, {}, 'later', false],
] as const)('%s', (_, number, facts, numbering, sure) => {
  expect(numberingOf(number, { ...FACTS, ...facts })).toEqual({ numbering, sure })
})
