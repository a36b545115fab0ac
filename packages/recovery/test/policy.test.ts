import { COMPUTE_MACHINE, COMPUTE_STATES, type ComputeState, JOB_TYPES } from '@saltcod/store-core'
import { describe, expect, it } from 'vitest'
import { LEGAL_ACTIONS, RECOVERY_PRESETS, type RecoveryAction, recoveryPolicy } from '../src/index.ts'

const row = (preset: 'resume' | 'expire', state: ComputeState): RecoveryAction[] => {
  const { table } = recoveryPolicy({ preset })
  return JOB_TYPES.map((type) => table[state][type].action)
}

describe('the presets', () => {
  it('resume is the table of the specification', () => {
    expect(Object.fromEntries(COMPUTE_STATES.map((state) => [state, row('resume', state)]))).toEqual({
      Created: ['admit', 'admit', 'admit', 'admit'],
      BidAccepted: ['requeue', 'requeue', 'requeue', 'requeue'],
      Running: ['fail', 'fail', 'rerun', 'rerun'],
      WaitingVerification: ['keep', 'keep', 'keep', 'keep'],
      ResultAccepted: ['keep', 'keep', 'keep', 'keep'],
      Publishing: ['publish', 'publish', 'publish', 'publish'],
      Completed: ['none', 'none', 'none', 'none'],
      Failed: ['none', 'none', 'none', 'none'],
      Cancelled: ['none', 'none', 'none', 'none'],
    })
    expect(recoveryPolicy().table.Running.batch.reason).toBe('interrupted')
  })

  it('expire does nothing anywhere', () => {
    for (const state of COMPUTE_STATES) expect(row('expire', state)).toEqual(['none', 'none', 'none', 'none'])
  })

  it.each(RECOVERY_PRESETS)('%s uses only actions that make sense in their state', (preset) => {
    const { table } = recoveryPolicy({ preset })
    for (const state of COMPUTE_STATES) {
      for (const type of JOB_TYPES) expect(LEGAL_ACTIONS[state]).toContain(table[state][type].action)
    }
  })

  it('no state that has ended takes any action', () => {
    for (const state of COMPUTE_MACHINE.terminal) expect(LEGAL_ACTIONS[state]).toEqual(['none'])
  })
})

describe('recoveryPolicy', () => {
  it('sets single cells and leaves the others', () => {
    const policy = recoveryPolicy({
      cells: { Running: { batch: 'rerun', ops: { action: 'fail', reason: 'not-here' } } },
    })
    expect(policy.table.Running.batch).toEqual({ action: 'rerun', reason: 'interrupted' })
    expect(policy.table.Running.ops).toEqual({ action: 'fail', reason: 'not-here' })
    expect(policy.table.Running.daemon.action).toBe('rerun')
    expect(policy.overridden).toEqual(['Running/batch', 'Running/ops'])
  })

  it.each([
    ['an unknown preset', { preset: 'best' }, 'unknown recovery preset "best"'],
    ['an unknown state', { cells: { Paused: { batch: 'fail' } } }, 'unknown state "Paused"'],
    ['an unknown job type', { cells: { Running: { cron: 'fail' } } }, 'unknown job type "cron"'],
    ['an unknown action', { cells: { Running: { batch: 'retry' } } }, 'cannot "retry" Running/batch'],
    ['an action out of place', { cells: { Created: { batch: 'rerun' } } }, 'cannot "rerun" Created/batch'],
    ['an action on what has ended', { cells: { Failed: { batch: 'fail' } } }, 'cannot "fail" Failed/batch'],
    ['no time to keep', { keepForMs: 0 }, 'keepForMs'],
    [
      'an age rule out of place',
      { ageRules: [{ state: 'Completed', olderThanMs: 1, action: 'fail' }] },
      'age rule 1 of the recovery policy cannot "fail" Completed',
    ],
    [
      'an age rule without age',
      { ageRules: [{ state: 'Created', olderThanMs: -1, action: 'fail' }] },
      'olderThanMs must be a whole number from 0, not -1',
    ],
  ])('refuses %s', (_name, options, message) => {
    expect(() => recoveryPolicy(options as Parameters<typeof recoveryPolicy>[0])).toThrow(TypeError)
    expect(() => recoveryPolicy(options as Parameters<typeof recoveryPolicy>[0])).toThrow(message)
  })
})
