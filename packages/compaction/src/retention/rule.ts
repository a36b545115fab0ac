import { checkFields, type Fields } from '@saltcod/store-core/backend'

/** Limits for what is kept of the records that ended; at least one limit is set. */
export interface RetentionRule<State extends string = string> {
  /** The namespace that it is for; every one, each for itself, where absent. */
  readonly namespace?: string
  /** The final state that it is for; every one, each for itself, where absent. */
  readonly state?: State
  /** Goes when it ended so long ago, in milliseconds. */
  readonly maxAgeMs?: number
  /** Of the records that ended, the newest so many stay. */
  readonly maxCount?: number
  /** Of the records that ended, the newest that take no more than this stay, in the bytes of `counts()`. */
  readonly maxBytes?: number
}

/** The limits of all rules for one namespace and state; `Infinity` for none. */
export interface Limits {
  readonly maxAgeMs: number
  readonly maxCount: number
  readonly maxBytes: number
}

const RULE_FIELDS: Fields<RetentionRule> = {
  namespace: true,
  state: true,
  maxAgeMs: true,
  maxCount: true,
  maxBytes: true,
}

/** Throws a `TypeError` for a rule that has unknown keys, limits nothing, or whose limit is no number from 0. */
export function checkRules(rules: readonly RetentionRule[], states: readonly string[]): void {
  for (const [index, rule] of rules.entries()) {
    checkFields(`retention rule ${index + 1}`, rule, RULE_FIELDS)
    const limits = [rule.maxAgeMs, rule.maxCount, rule.maxBytes].filter((limit) => limit !== undefined)
    const name = `retention rule ${index + 1}`
    if (limits.length === 0) {
      throw new TypeError(`${name} limits nothing; give it maxAgeMs, maxCount or maxBytes`)
    }
    for (const limit of limits) {
      // `null` and an empty list compare as 0, which would let everything go.
      if (typeof limit === 'number' && limit >= 0) continue
      throw new TypeError(`${name} has the limit ${String(limit)}; a limit is a number from 0`)
    }
    if (rule.namespace !== undefined && typeof rule.namespace !== 'string') {
      throw new TypeError(`${name} is for the namespace ${String(rule.namespace)}; a namespace is a text`)
    }
    if (rule.state !== undefined && !states.includes(rule.state)) {
      throw new TypeError(`${name} is for the state ${rule.state}; the states are ${states.join(', ')}`)
    }
  }
}

/** Puts all rules for a namespace and state together, each limit the strictest; `null` where there is no rule. */
export function limitsFor(rules: readonly RetentionRule[], namespace: string, state: string): Limits | null {
  const fitting = rules.filter(
    (rule) =>
      (rule.namespace === undefined || rule.namespace === namespace) &&
      (rule.state === undefined || rule.state === state),
  )
  if (fitting.length === 0) return null
  return {
    maxAgeMs: Math.min(...fitting.map(({ maxAgeMs = Number.POSITIVE_INFINITY }) => maxAgeMs)),
    maxCount: Math.min(...fitting.map(({ maxCount = Number.POSITIVE_INFINITY }) => maxCount)),
    maxBytes: Math.min(...fitting.map(({ maxBytes = Number.POSITIVE_INFINITY }) => maxBytes)),
  }
}
