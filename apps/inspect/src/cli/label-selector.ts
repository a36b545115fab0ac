import type { LabelRequirement } from '@saltcod/store-core'
import { InvalidArgumentError } from 'commander'

const SET = /^([^\s!=<>,()]+)\s+(in|notin)\s+\(([^)]*)\)$/
const COMPARE = /^([^\s!=<>,()]+)\s*(==|=|!=|>|<)\s*(.*)$/
const EXISTS = /^(!?)\s*([^\s!=<>,()]+)$/

/**
 * Reads one condition on a label: `key=value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`, `key>5`,
 * `key`, `!key`. Throws where the text is none.
 */
function parseLabel(text: string): LabelRequirement {
  const trimmed = text.trim()
  const set = SET.exec(trimmed)
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim())
    return { key: set[1] ?? '', operator: set[2] === 'in' ? 'in' : 'notin', values }
  }
  const compare = COMPARE.exec(trimmed)
  if (compare !== null) {
    const operators = { '=': '=', '==': '=', '!=': '!=', '>': 'gt', '<': 'lt' } as const
    const operator = operators[(compare[2] ?? '=') as keyof typeof operators]
    return { key: compare[1] ?? '', operator, values: [compare[3] ?? ''] }
  }
  const exists = EXISTS.exec(trimmed)
  if (exists !== null)
    return { key: exists[2] ?? '', operator: exists[1] === '!' ? '!exists' : 'exists', values: [] }
  throw new InvalidArgumentError('It must be like key=value, key!=value, "key in (a,b)", key or !key.')
}

/** Collects the conditions of an option that may be repeated. */
export function collectLabel(
  text: string,
  earlier: readonly LabelRequirement[] | undefined,
): readonly LabelRequirement[] {
  return [...(earlier ?? []), parseLabel(text)]
}
