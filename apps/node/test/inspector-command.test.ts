import type { StoreFinding } from '@saltcod/config'
import { StoreError } from '@saltcod/store-core'
import { expect, test } from 'vitest'
import { findingWithCommand, hintWithCommand } from '../src/inspector-command.ts'
import { toApiError } from '../src/requester/api/store-error.ts'

test('who may mend a store is told the command for it, with the path of the store where that is known', () => {
  const damaged = new StoreError('STORE_DAMAGED', 'it is damaged', {
    path: '/data/jobs.db',
    remedy: 'repair',
    hint: 'a repair mends it; nothing was written',
  })
  expect(hintWithCommand(damaged)).toBe(
    'a repair mends it; nothing was written: saltcod-inspect repair /data/jobs.db --in-place',
  )
  const corrupt = new StoreError('RECORD_CORRUPT', 'a record is damaged', {
    remedy: 'check',
    hint: 'a check tells what else is damaged',
  })
  expect(hintWithCommand(corrupt, '/data/jobs.db')).toBe(
    'a check tells what else is damaged: saltcod-inspect check /data/jobs.db',
  )
  expect(toApiError(corrupt).hint).toBe('a check tells what else is damaged: saltcod-inspect check STORE')
})

test('a hint that needs no command stays as it is', () => {
  expect(hintWithCommand(new StoreError('JOB_NOT_FOUND', 'no job', { hint: 'list the jobs' }))).toBe(
    'list the jobs',
  )
  expect(hintWithCommand(new StoreError('STORE_CLOSED', 'closed'))).toBeUndefined()
})

test('a finding names the command that restores a backup, where one may be restored', () => {
  const finding: StoreFinding = {
    kind: 'store-gone',
    severity: 'refuse',
    paths: ['/data/jobs.db'],
    message: 'the job store is gone',
    hint: 'put it back, or restore a backup',
  }
  expect(findingWithCommand(finding)).toBe('the job store is gone; put it back, or restore a backup')
  expect(findingWithCommand({ ...finding, restoreTo: '/data/jobs.db' })).toBe(
    'the job store is gone; put it back, or restore a backup; a backup is restored with saltcod-inspect restore BACKUP /data/jobs.db',
  )
})
