import { COMPUTE_MACHINE, COMPUTE_STATES, JOB_TYPES } from '@saltcod/store-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decideRecovery,
  LEGAL_ACTIONS,
  RECOVERY_PRESETS,
  type RecoveryPolicyOptions,
  recoveryPolicy,
} from '../src/index.ts'
import { executionIn } from './execution-fixture.ts'

const HOUR_MS = 3_600_000

/** Any policy that `recoveryPolicy` accepts. */
const anyPolicy = fc
  .record({
    preset: fc.constantFrom(...RECOVERY_PRESETS),
    cells: fc.array(
      fc
        .constantFrom(...COMPUTE_STATES)
        .chain((state) =>
          fc.tuple(
            fc.constant(state),
            fc.constantFrom(...JOB_TYPES),
            fc.constantFrom(...LEGAL_ACTIONS[state]),
          ),
        ),
    ),
    ageRules: fc.array(
      fc.constantFrom(...COMPUTE_STATES).chain((state) =>
        fc.record({
          state: fc.constant(state),
          olderThanMs: fc.nat(HOUR_MS),
          action: fc.constantFrom(...LEGAL_ACTIONS[state]),
        }),
      ),
    ),
  })
  .map(({ preset, cells, ageRules }) => {
    const merged: Record<string, Record<string, string>> = {}
    for (const [state, type, action] of cells) merged[state] = { ...merged[state], [type]: action }
    return recoveryPolicy({ preset, ageRules, cells: merged as NonNullable<RecoveryPolicyOptions['cells']> })
  })

const anyExecution = fc
  .record({
    state: fc.constantFrom(...COMPUTE_STATES),
    type: fc.constantFrom(...JOB_TYPES),
    rerunnable: fc.boolean(),
    createdAtMs: fc.nat(2 * HOUR_MS),
    deadlineAtMs: fc.option(fc.nat()),
  })
  .map(({ state, type, ...more }) => executionIn(state, type, more))

describe('decideRecovery', () => {
  it('has a legal action with a rule for every execution, and none for one that has ended', () => {
    fc.assert(
      fc.property(anyPolicy, anyExecution, fc.nat(2 * HOUR_MS), (policy, execution, nowMs) => {
        const decision = decideRecovery(execution, policy, nowMs)
        expect(LEGAL_ACTIONS[execution.state]).toContain(decision.action)
        expect(decision.rule).not.toBe('')
        expect(decision.ageMs).toBeGreaterThanOrEqual(0)
        if (COMPUTE_MACHINE.terminal.has(execution.state)) expect(decision.action).toBe('none')
        if (decision.action === 'fail') expect(decision.reason).not.toBe('')
      }),
    )
  })

  it('fails an interrupted batch job, and reruns one that may be run again', () => {
    const policy = recoveryPolicy()
    const batch = decideRecovery(executionIn('Running', 'batch'), policy, 2_000)
    expect(batch).toMatchObject({
      action: 'fail',
      reason: 'interrupted',
      rule: 'preset resume: Running/batch',
    })
    const again = decideRecovery(executionIn('Running', 'batch', { rerunnable: true }), policy, 2_000)
    expect(again).toMatchObject({ action: 'rerun', rule: 'the job may be run again' })
  })

  it('leaves a rerunnable execution alone where the policy does nothing', () => {
    const policy = recoveryPolicy({ preset: 'expire' })
    const decision = decideRecovery(executionIn('Running', 'batch', { rerunnable: true }), policy, 2_000)
    expect(decision.action).toBe('none')
  })

  it('asks the age rules first, and counts only what is older', () => {
    const policy = recoveryPolicy({ ageRules: [{ state: 'Created', olderThanMs: HOUR_MS, action: 'fail' }] })
    const execution = executionIn('Created', 'ops', { createdAtMs: 0 })
    expect(decideRecovery(execution, policy, HOUR_MS).action).toBe('admit')
    expect(decideRecovery(execution, policy, HOUR_MS + 1)).toMatchObject({
      action: 'fail',
      reason: 'too-old',
      rule: 'age rule 1: Created and older than 3600000 ms',
    })
    expect(
      decideRecovery(executionIn('BidAccepted', 'ops', { createdAtMs: 0 }), policy, 2 * HOUR_MS).action,
    ).toBe('requeue')
  })

  it('takes a clock that went back as no age', () => {
    expect(
      decideRecovery(executionIn('Created', 'batch', { createdAtMs: 5_000 }), recoveryPolicy(), 1_000).ageMs,
    ).toBe(0)
  })

  it('gives a deadline to what is kept, unless it has one', () => {
    const policy = recoveryPolicy({ keepForMs: 500 })
    expect(decideRecovery(executionIn('WaitingVerification', 'batch'), policy, 2_000).deadlineAtMs).toBe(
      2_500,
    )
    const dated = executionIn('ResultAccepted', 'batch', { deadlineAtMs: 9_000 })
    expect(decideRecovery(dated, policy, 2_000)).toMatchObject({ action: 'keep', deadlineAtMs: null })
  })

  it('goes on with what outlives the node, whatever the table says, unless a rule by age fails it', () => {
    const running = executionIn('Running', 'batch', { attempt: 3 })
    const decide = (options: RecoveryPolicyOptions, execution = running) =>
      decideRecovery(execution, recoveryPolicy(options), HOUR_MS, true)
    expect(decide({})).toMatchObject({
      action: 'reattach',
      reason: 'outlived',
      rule: 'attempt 3 does not end with the node; where it is gone: fail, interrupted (preset resume: Running/batch)',
      deadlineAtMs: null,
    })
    expect(decide({ preset: 'expire' }).action).toBe('reattach')
    const byAge = (action: 'fail' | 'rerun' | 'keep'): RecoveryPolicyOptions => ({
      ageRules: [{ state: 'Running', olderThanMs: 1, action }],
    })
    expect(decide(byAge('rerun')).action).toBe('reattach')
    expect(decide(byAge('keep')).action).toBe('reattach')
    expect(decide(byAge('fail'))).toMatchObject({ action: 'fail', reason: 'too-old', byAge: true })
    expect(decide({}, executionIn('BidAccepted', 'batch')).action).toBe('requeue')
  })
})
