import type { LabelRequirement } from '@saltcod/store-core'
import type { Constraint } from './job-spec.ts'

/** Turns a constraint of a job into a requirement on labels. */
export function toLabelRequirement({ Key, Operator, Values }: Constraint): LabelRequirement {
  const operator = Operator === '!' ? '!exists' : Operator === '==' ? '=' : Operator
  return { key: Key, operator, values: Values }
}
