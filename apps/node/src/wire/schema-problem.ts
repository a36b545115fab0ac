import type { z } from 'zod'

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  map: 'an object',
}

/** Reads a value by a schema, or lists what is wrong with it, one line each. */
export function readBySchema<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly data: T } | { readonly problems: readonly string[] } {
  const parsed = schema.safeParse(value, { error: complaintOf })
  return parsed.success ? { data: parsed.data } : { problems: parsed.error.issues.map(problemOf) }
}

function problemOf({ code, path, message }: z.core.$ZodIssue): string {
  const where = path.reduce<string>((before, part) => {
    if (typeof part === 'number') return `${before}[${part}]`
    return before === '' ? String(part) : `${before}.${String(part)}`
  }, '')
  return `${where === '' ? 'the body' : where}${code === 'custom' ? ':' : ''} ${message}`
}

function complaintOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `must be ${wordOf(issue.expected)}`
  if (issue.code === 'invalid_union') return `must be ${alternatives(issue.errors.flat()).join(' or ')}`
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`
  if (issue.code === 'too_small') {
    return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`
  }
  if (issue.code === 'unrecognized_keys') return `has unknown keys: ${issue.keys.join(', ')}`
  return undefined
}

function alternatives(issues: readonly z.core.$ZodIssue[]): string[] {
  const words = issues.flatMap((issue) => (issue.code === 'invalid_type' ? [wordOf(issue.expected)] : []))
  return [...new Set(words)]
}

function wordOf(type: string): string {
  return WORDS[type] ?? type
}
