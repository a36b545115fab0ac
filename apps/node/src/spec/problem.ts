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

/** What is wrong with a part of a value. */
export interface Problem {
  /** Where the part stands; empty for the whole. */
  readonly path: readonly PropertyKey[]
  /** What is wrong with it, to be read after its place. */
  readonly message: string
}

/** A value that a schema has read, or what is wrong with it. */
export type Read<T> = { readonly data: T } | { readonly problems: readonly Problem[] }

/** Reads a value by a schema, or lists what is wrong with it. */
export function readBySchema<T>(schema: z.ZodType<T>, value: unknown): Read<T> {
  const parsed = schema.safeParse(value, { error: complaintOf })
  if (parsed.success) return { data: parsed.data }
  return { problems: parsed.error.issues.map(({ path, message }) => ({ path, message })) }
}

/** Writes a problem as one line: its place, and what is wrong there. */
export function problemLine({ path, message }: Problem): string {
  return `${path.length === 0 ? 'the body' : placeOf(path)} ${message}`
}

/** Writes a path as one word, such as `Job.Tasks[0].Name`. */
export function placeOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, part) => {
    if (typeof part === 'number') return `${before}[${part}]`
    return before === '' ? String(part) : `${before}.${String(part)}`
  }, '')
}

function complaintOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `must be ${wordOf(issue.expected)}`
  if (issue.code === 'invalid_union') return `must be ${alternatives(issue.errors.flat()).join(' or ')}`
  if (issue.code === 'invalid_value') {
    return `must be one of ${issue.values.map(String).join(', ')}, not ${JSON.stringify(issue.input)}`
  }
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`
  if (issue.code === 'too_small') {
    if (issue.origin === 'string') return 'must not be empty'
    return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`
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
