import type { LabelRequirement } from '../contract/jobs.ts'
import { checkFields, type Fields } from '../kv/fields.ts'
import type { TextMap } from '../kv/json.ts'

/** The fields of a condition on a label. */
export const LABEL_FIELDS: Fields<LabelRequirement> = { key: true, operator: true, values: true }

/**
 * Tells whether labels meet every requirement. `!=` and `notin` also hold where the label is absent. Throws
 * `TypeError` for an unknown key.
 */
export function labelsMatch(labels: TextMap, requirements: readonly LabelRequirement[]): boolean {
  for (const requirement of requirements) checkFields('labelsMatch', requirement, LABEL_FIELDS)
  return meetAll(labels, requirements)
}

/** The same for requirements that were looked at before. */
export function meetAll(labels: TextMap, requirements: readonly LabelRequirement[]): boolean {
  return requirements.every((requirement) => {
    const { key } = requirement
    return meets(Object.hasOwn(labels, key) ? labels[key] : undefined, requirement)
  })
}

function meets(value: string | undefined, { operator, values }: LabelRequirement): boolean {
  switch (operator) {
    case '=':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!exists':
      return value === undefined
    case 'gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'lt':
      return value !== undefined && Number(value) < Number(values[0])
  }
}
