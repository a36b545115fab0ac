import { COMPUTE_STATES, type ComputeState, JOB_TYPES, type JobType } from '@saltcod/store-core'
import { checkFields, type Fields } from '@saltcod/store-core/backend'
import { LEGAL_ACTIONS, type RecoveryAction } from './action.ts'

/** Decides about executions that were created longer ago than an age, whatever the table says. */
export interface AgeRule {
  readonly state: ComputeState
  /** Default: all. */
  readonly jobType?: JobType
  /** Counted from the execution's creation on this node. */
  readonly olderThanMs: number
  readonly action: RecoveryAction
  /** Default `too-old`. */
  readonly reason?: string
}

const AGE_RULE_FIELDS: Fields<AgeRule> = {
  state: true,
  jobType: true,
  olderThanMs: true,
  action: true,
  reason: true,
}

/** Checks an age rule; `index` is its place in the list, for the message. Throws `TypeError`. */
export function checkAgeRule(rule: AgeRule, index: number): void {
  const where = `age rule ${index + 1} of the recovery policy`
  checkFields(where, rule, AGE_RULE_FIELDS)
  const { state, jobType, olderThanMs, action } = rule
  if (!Number.isSafeInteger(olderThanMs) || olderThanMs < 0) {
    throw new TypeError(`${where}: olderThanMs must be a whole number from 0, not ${olderThanMs}`)
  }
  if (!COMPUTE_STATES.includes(state)) {
    throw new TypeError(`${where}: unknown state ${JSON.stringify(state)}: use ${COMPUTE_STATES.join(', ')}`)
  }
  if (jobType !== undefined && !JOB_TYPES.includes(jobType)) {
    throw new TypeError(`${where}: unknown job type ${JSON.stringify(jobType)}: use ${JOB_TYPES.join(', ')}`)
  }
  if (!LEGAL_ACTIONS[state].includes(action)) {
    throw new TypeError(
      `${where} cannot ${JSON.stringify(action)} ${state}: use ${LEGAL_ACTIONS[state].join(', ')}`,
    )
  }
}

/** Tells whether an age rule speaks of an execution. */
export function ageRuleFits(rule: AgeRule, state: ComputeState, type: JobType, ageMs: number): boolean {
  return (
    rule.state === state && (rule.jobType === undefined || rule.jobType === type) && ageMs > rule.olderThanMs
  )
}
