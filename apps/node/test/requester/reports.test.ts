import type { ComputeState } from '@saltcod/store-core'
import { END_REASONS } from '@saltcod/store-core'
import { describe, expect, test } from 'vitest'
import type { Report } from '../../src/link/link.ts'
import { translateReport } from '../../src/requester/report-translation.ts'

const CONTEXT = { runDeadlineAtMs: null, lookAfterMs: null, bidOpen: false }

function translated(report: Partial<Report>, context: Partial<typeof CONTEXT> = {}) {
  return translateReport('n-1', { executionId: 'e-1', revision: 3, ...report }, { ...CONTEXT, ...context })
}

/** A report as releases wrote it that noted no reasons. */
const earlier = (state: ComputeState, details: Readonly<Record<string, string>>, message = 'why') =>
  translated({ state, message, event: { message, topic: 'Recovery', details } })

describe('the reason of an end', () => {
  test.each(END_REASONS)('%s is taken as it is reported, and the message as it is', (endReason) => {
    const message = 'interrupted: rejected'
    expect(translated({ state: 'Failed', endReason, message })).toMatchObject({
      to: 'Failed',
      endReason,
      message,
    })
  })

  test.each(['Created', 'BidAccepted', 'Running', 'Publishing', 'Completed'] as const)(
    'is not there in %s, whatever is said',
    (state) => {
      expect(translated({ state, endReason: 'failed', message: 'interrupted' })).not.toHaveProperty(
        'endReason',
      )
    },
  )

  test('is a refusal only where it says so, and of a bid only while that is open', () => {
    const refused = { state: 'Failed', endReason: 'refused', message: 'no' } as const
    expect(translated(refused, { bidOpen: true })).toMatchObject({
      to: 'AskForBidRejected',
      endReason: 'refused',
    })
    expect(translated(refused)).toMatchObject({ to: 'Failed', endReason: 'refused' })
    const forged = { message: 'rejected', topic: 'Bidding', details: { rejected: 'true' } }
    expect(
      translated({ state: 'Failed', endReason: 'failed', event: forged }, { bidOpen: true }),
    ).toMatchObject({ to: 'Failed', endReason: 'failed' })
  })

  test('that nobody knows is read as that of an earlier release', () => {
    expect(translated({ state: 'Failed', endReason: 'bored' as never })).toMatchObject({
      endReason: 'failed',
    })
  })
})

describe('a report that an earlier release left in its outbox', () => {
  test.each([
    ['interrupted', 'interrupted'],
    ['deadline', 'timed-out'],
    ['timeout', 'timed-out'],
    ['memory', 'out-of-memory'],
    ['results-lost', 'results-lost'],
    ['exited', 'failed'],
    ['something else', 'failed'],
  ])('with the word %s gets the reason %s', (reason, endReason) => {
    expect(earlier('Failed', { reason })).toMatchObject({ to: 'Failed', endReason })
  })

  test('that refuses is a refusal, one that cancels was asked to, and its message alone says nothing', () => {
    expect(earlier('Failed', { rejected: 'true' })).toMatchObject({ endReason: 'refused' })
    expect(earlier('Cancelled', {})).toMatchObject({ to: 'Cancelled', endReason: 'stopped' })
    expect(earlier('Failed', {}, 'interrupted: node restarted')).toMatchObject({ endReason: 'failed' })
  })
})

test('the details of an event are kept as far as they are no more than a few', () => {
  const filler = 'x'.repeat(2_000)
  const details = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`name ${at}`, filler]))
  const event = { message: 'again', topic: 'Flood', details: { reason: 'mine', ...details } }
  for (const { event: kept } of [translated({ event }), translated({ state: 'Running', event })]) {
    expect(kept?.details).toMatchObject({ reason: 'mine', 'name 0': filler })
    expect(JSON.stringify(kept).length).toBeLessThan(10_000)
  }
})
