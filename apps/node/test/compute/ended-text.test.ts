import type { ExecutionJob } from '@saltcod/store-core'
import { expect, test } from 'vitest'
import { endText } from '../../src/compute/ended-text.ts'

test('a service that never began is not said to have ended after a time', () => {
  const job = { type: 'service' } as ExecutionJob
  const ended = { exitCode: null, ranMs: 0, lastErrors: '' }
  expect(endText(job, 'no such program', { ...ended, reason: 'start-failed' })).toBe('no such program')
  expect(endText(job, 'killed', { ...ended, ranMs: 2100, reason: 'killed', lastErrors: 'oh' })).toBe(
    'killed after 2s; its last errors:\noh',
  )
})
