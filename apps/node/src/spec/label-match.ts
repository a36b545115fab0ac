import type { LabelRequirement } from '@saltcod/store-core'

/** Tells whether labels meet every requirement. `!=` and `notin` also hold where the label is absent. */
export function labelsMatch(
  labels: Readonly<Record<string, string>>,
  requirements: readonly LabelRequirement[],
): boolean {
  return requirements.every((requirement) => meets(labels[requirement.key], requirement))
}

function meets(value: string | undefined, { operator, values }: LabelRequirement): boolean {
  switch (operator) {
    case 'exists':
      return value !== undefined
    case '!exists':
      return value === undefined
    case '=':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'lt':
      return value !== undefined && Number(value) < Number(values[0])
  }
}
