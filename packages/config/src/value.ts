import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN } from '@saltcod/units'
import { z } from 'zod'
import { unknownName } from './did-you-mean.ts'
import { complaint, joinComplaints, showGiven } from './problem.ts'

type Complaint = (issue: { readonly input?: unknown }) => string

/** Makes the words for a value that is no such thing, or is missing. */
export function isNot(noun: string, hint: string): Complaint {
  return ({ input }) =>
    complaint(input === undefined ? 'is missing' : `${showGiven(input)} is not ${noun}`, hint)
}

/** A span of time, in whole milliseconds once read. */
export function duration(
  bounds: { readonly minMs?: number; readonly maxMs?: number } = {},
): z.ZodType<number> {
  const minMs = bounds.minMs ?? 0
  const maxMs = bounds.maxMs ?? Number.MAX_SAFE_INTEGER
  const error = isNot('a duration', "write it like '30s', '1m30s', '24h' or '7d', or as whole milliseconds")
  return z
    .union(
      [z.string({ error }).trim().regex(DURATION_PATTERN, { error }), z.int({ error }).min(0, { error })],
      {
        error,
      },
    )
    .transform((given, context) => {
      const durationMs = parseDuration(given)
      if (durationMs !== undefined && durationMs >= minMs && durationMs <= maxMs) return durationMs
      context.addIssue({ code: 'custom', message: outOfRange(given, durationMs, minMs, maxMs, 'ms') })
      return z.NEVER
    })
}

/** A number of bytes once read. */
export function size(
  bounds: { readonly minBytes?: number; readonly maxBytes?: number } = {},
): z.ZodType<number> {
  const minBytes = bounds.minBytes ?? 0
  const maxBytes = bounds.maxBytes ?? Number.MAX_SAFE_INTEGER
  const error = isNot('a size', "write it like '10MB' or '64MiB', or as a whole number of bytes")
  return z
    .union([z.string({ error }).trim().regex(SIZE_PATTERN, { error }), z.int({ error }).min(0, { error })], {
      error,
    })
    .transform((given, context) => {
      const bytes = parseSize(given)
      if (bytes !== undefined && bytes >= minBytes && bytes <= maxBytes) return bytes
      const message = outOfRange(given, bytes, minBytes, maxBytes, 'bytes')
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
}

/** A whole number between two bounds, both included. */
export function integer(min: number, max: number): z.ZodType<number> {
  const error = isNot(`a whole number from ${min} to ${max}`, 'write one in digits')
  return z.int({ error }).min(min, { error }).max(max, { error })
}

/** A number, whole or not, between two bounds, both included. */
export function amount(min: number, max: number): z.ZodType<number> {
  const error = isNot(`a number from ${min} to ${max}`, 'write one in digits')
  return z.number({ error }).min(min, { error }).max(max, { error })
}

/** True or false. */
export function flag(): z.ZodType<boolean> {
  return z.boolean({ error: isNot('true or false', 'write one of the two') })
}

/** One of a few words, in any case and with spaces around it. */
export function choice<const Word extends string>(words: readonly Word[]): z.ZodType<Word> {
  const error = isNot('possible here', `write one of ${words.join(', ')}`)
  return z.preprocess(
    (given) => {
      if (typeof given !== 'string') return given
      const wanted = given.trim().toLowerCase()
      return words.find((word) => word.toLowerCase() === wanted) ?? given
    },
    z.enum(words, { error }),
  )
}

/** A text that matches a pattern. */
export function text(noun: string, hint: string, pattern: RegExp): z.ZodType<string> {
  const error = isNot(noun, hint)
  return z.string({ error }).regex(pattern, { error })
}

/** A path of a file or directory. */
export function path(): z.ZodType<string> {
  const error = isNot('a path', 'write the path of a file or directory')
  return z
    .string({ error })
    .min(1, { error })
    .superRefine((given, context) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a path with one is a mistake.
      if (given.trim() === '' || /[\u0000-\u001f\u007f]/.test(given)) {
        context.addIssue({ code: 'custom', message: error({ input: given }) })
      } else if (/\$[A-Za-z_{]/.test(given)) {
        // Taken literally it would make a directory that is named `$HOME`.
        const message = complaint(
          `${showGiven(given)} holds a variable`,
          'variables are not replaced here: write the path itself (a leading ~ works)',
        )
        context.addIssue({ code: 'custom', message })
      }
    })
}

/** A list; a single text is cut at its commas, as flags and environment variables give it. */
export function list<Item>(item: z.ZodType<Item>, bounds: { readonly min?: number } = {}): z.ZodType<Item[]> {
  const error = isNot('a list', 'write its items between [ and ], separated by commas')
  const empty = isNot('enough', 'name at least one')
  return z.preprocess(
    (given) => {
      if (typeof given !== 'string') return given
      return given.split(',').map((part) => part.trim())
    },
    z.array(item, { error }).min(bounds.min ?? 0, { error: empty }),
  )
}

/** A list of mappings, such as rules. */
export function rules<Rule>(rule: z.ZodType<Rule>): z.ZodType<Rule[]> {
  return z.array(rule, { error: isNot('a list of rules', "write each on a line of its own after '- '") })
}

/** A mapping of names that somebody chooses. */
export function keyed<Item>(name: RegExp, item: z.ZodType<Item>): z.ZodType<Record<string, Item>> {
  const error = isNot('a mapping', "write 'name: value' lines under it")
  const complain = (key: string): { code: 'custom'; path: string[]; message: string } => {
    const message = complaint(`${showGiven(key)} cannot be a name here`, `names match ${name.source}`)
    return { code: 'custom', path: [key], message }
  }
  // Checked before the record is read, which drops a key like __proto__ without a word.
  return z.preprocess(
    (given, context) => {
      for (const key of Object.keys(given ?? {})) {
        if (!name.test(key)) context.addIssue(complain(key))
      }
      return given
    },
    z.record(z.string(), item, { error }),
  )
}

/** A mapping with named values, those that are not optional required, and no other names. */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const notAMapping = isNot('a mapping', "write 'Key: value' lines under it")
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? joinComplaints(issue.keys.map((key) => unknownName(key, Object.keys(shape))))
        : notAMapping(issue),
  })
}

function outOfRange(
  given: unknown,
  value: number | undefined,
  min: number,
  max: number,
  unit: 'ms' | 'bytes',
): string {
  const shown = showGiven(given)
  if (value === undefined) return complaint(`${shown} is no whole number of ${unit}`, 'write another')
  if (value < min) return complaint(`${shown} is too little`, `write at least ${min} ${unit}`)
  return complaint(`${shown} is too much`, `write at most ${max} ${unit}`)
}
