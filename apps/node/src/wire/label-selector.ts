import type { LabelRequirement } from '@saltcod/store-core'
import { ApiError } from './api-error.ts'

const SET = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/
const COMPARISON = /^([^\s=!<>()]+)\s*(==|!=|=|>|<)\s*([^\s=!<>()]*)$/
const PRESENCE = /^(!?)\s*([^\s=!<>(),]+)$/
const OPERATORS = { '=': '=', '==': '=', '!=': '!=', '>': 'gt', '<': 'lt' } as const

/**
 * Reads a label selector such as `env=prod,tier in (a,b),!old`. Throws an `ApiError` `BadRequest` that names the
 * part that cannot be read.
 */
export function parseLabelSelector(text: string): LabelRequirement[] {
  return splitOutsideParentheses(text).map(parseRequirement)
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    const character = text[at]
    if (character === '(') depth++
    else if (character === ')') depth--
    else if ((character === ',' && depth === 0) || character === undefined) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  return parts.filter((part) => part !== '')
}

function parseRequirement(part: string): LabelRequirement {
  const set = SET.exec(part)
  if (set?.[1] !== undefined && set[3] !== undefined) {
    const values = set[3].split(',').map((value) => value.trim())
    return { key: set[1], operator: set[2] === 'in' ? 'in' : 'notin', values }
  }
  const comparison = COMPARISON.exec(part)
  if (comparison?.[1] !== undefined) {
    const operator = OPERATORS[comparison[2] as keyof typeof OPERATORS]
    const value = comparison[3] ?? ''
    if ((operator === 'gt' || operator === 'lt') && !/^-?\d+$/.test(value)) throw unreadable(part)
    return { key: comparison[1], operator, values: [value] }
  }
  const presence = PRESENCE.exec(part)
  if (presence?.[2] !== undefined) {
    return { key: presence[2], operator: presence[1] === '!' ? '!exists' : 'exists', values: [] }
  }
  throw unreadable(part)
}

function unreadable(part: string): ApiError {
  return new ApiError('BadRequest', `cannot read the label selector "${part}"`, {
    hint: 'write it as key=value, key!=value, key in (a,b), key notin (a,b), key, !key, key>1 or key<1',
  })
}
