import {
  DURATION_PATTERN,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  SIZE_PATTERN,
} from '@saltcod/units'
import { z } from 'zod'
import { complain, named, unlike } from './complaint.ts'
import { type Complaint, showGiven } from './problem.ts'

/** A span of time, in whole milliseconds once read. */
export function duration(
  bounds: { readonly minMs?: number; readonly maxMs?: number } = {},
): z.ZodType<number> {
  const minMs = bounds.minMs ?? 0
  const maxMs = bounds.maxMs ?? Number.MAX_SAFE_INTEGER
  const written = z.union([z.string().trim().regex(DURATION_PATTERN), z.int().min(0)])
  return named(
    written.transform((given, context) => {
      const durationMs = parseDuration(given)
      if (durationMs !== undefined && durationMs >= minMs && durationMs <= maxMs) return durationMs
      context.addIssue(complain(outOfRange(given, durationMs, minMs, maxMs, 'ms')))
      return z.NEVER
    }),
    'a duration',
    "write it like '30s', '1m30s', '24h' or '7d', or as whole milliseconds",
  )
}

/** A number of bytes once read; with `orNone`, 0 fits whatever the bounds are. */
export function size(
  bounds: { readonly minBytes?: number; readonly maxBytes?: number; readonly orNone?: boolean } = {},
): z.ZodType<number> {
  const minBytes = bounds.minBytes ?? 0
  const maxBytes = bounds.maxBytes ?? Number.MAX_SAFE_INTEGER
  const orNone = bounds.orNone ?? false
  const written = z.union([z.string().trim().regex(SIZE_PATTERN), z.int().min(0)])
  return named(
    written.transform((given, context) => {
      const bytes = parseSize(given)
      if (bytes === 0 && orNone) return bytes
      if (bytes !== undefined && bytes >= minBytes && bytes <= maxBytes) return bytes
      const complaint = outOfRange(given, bytes, minBytes, maxBytes, 'bytes')
      context.addIssue(
        complain(orNone ? { ...complaint, hint: `${complaint.hint}, or 0 for none` } : complaint),
      )
      return z.NEVER
    }),
    'a size',
    "write it like '10MB' or '64MiB', or as a whole number of bytes",
  )
}

/** A whole number between two bounds, both included. */
export function integer(min: number, max: number): z.ZodType<number> {
  return named(z.int().min(min).max(max), `a whole number from ${min} to ${max}`, 'write one in digits')
}

/** A number, whole or not, between two bounds, both included. */
export function amount(min: number, max: number): z.ZodType<number> {
  return named(z.number().min(min).max(max), `a number from ${min} to ${max}`, 'write one in digits')
}

/** True or false. */
export function flag(): z.ZodType<boolean> {
  return named(z.boolean(), 'true or false', 'write one of the two')
}

/** One of a few words, in any case and with spaces around it; an alias (in lower case) is read and never offered. */
export function choice<const Word extends string>(
  words: readonly Word[],
  aliases: ReadonlyMap<string, NoInfer<Word>> = new Map(),
): z.ZodType<Word> {
  const written = z.preprocess((given) => {
    if (typeof given !== 'string') return given
    const wanted = given.trim().toLowerCase()
    return words.find((word) => word.toLowerCase() === wanted) ?? aliases.get(wanted) ?? given
  }, z.enum(words))
  return named(written, 'possible here', `write one of ${words.join(', ')}`)
}

/** A text that matches a pattern. */
export function text(noun: string, hint: string, pattern: RegExp): z.ZodType<string> {
  return named(z.string().regex(pattern), noun, hint)
}

/** A path of a file or directory. */
export function path(): z.ZodType<string> {
  const words = { noun: 'a path', hint: 'write the path of a file or directory' }
  const written = z
    .string()
    .min(1)
    .superRefine((given, context) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a path with one is a mistake.
      if (given.trim() === '' || /[\u0000-\u001f\u007f]/.test(given)) {
        context.addIssue(complain(unlike(given, words)))
      } else if (/\$[A-Za-z_{]/.test(given)) {
        // Taken literally it would make a directory that is named `$HOME`.
        context.addIssue(
          complain({
            problem: `${showGiven(given)} holds a variable`,
            hint: 'variables are not replaced here: write the path itself (a leading ~ works)',
          }),
        )
      }
    })
  return named(written, words.noun, words.hint)
}

/** A list; a single text is cut at its commas, as flags and environment variables give it. */
export function list<Item>(item: z.ZodType<Item>, bounds: { readonly min?: number } = {}): z.ZodType<Item[]> {
  const written = z.preprocess(
    (given) => {
      if (typeof given !== 'string') return given
      return given.split(',').map((part) => part.trim())
    },
    z.array(item).min(bounds.min ?? 0),
  )
  return named(written, 'a list', 'write its items between [ and ], separated by commas')
}

/** A list of mappings, such as rules. */
export function rules<Rule>(rule: z.ZodType<Rule>): z.ZodType<Rule[]> {
  return named(z.array(rule), 'a list of rules', "write each on a line of its own after '- '")
}

/** A mapping of names that somebody chooses. */
export function keyed<Item>(name: RegExp, item: z.ZodType<Item>): z.ZodType<Record<string, Item>> {
  // Checked before the record is read, which drops a key like __proto__ without a word.
  const written = z.preprocess(
    (given, context) => {
      for (const key of Object.keys(given ?? {})) {
        if (name.test(key)) continue
        const problem = `${showGiven(key)} cannot be a name here`
        context.addIssue(complain({ problem, hint: `names match ${name.source}` }, [key]))
      }
      return given
    },
    z.record(z.string(), item),
  )
  return named(written, 'a mapping', "write 'name: value' lines under it")
}

/** A mapping with named values, those that are not optional required, and no other names. */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return named(z.strictObject(shape), 'a mapping', "write 'Key: value' lines under it")
}

function outOfRange(
  given: unknown,
  value: number | undefined,
  min: number,
  max: number,
  unit: 'ms' | 'bytes',
): Complaint {
  const shown = showGiven(given)
  if (value === undefined) return { problem: `${shown} is no whole number of ${unit}`, hint: 'write another' }
  const written = unit === 'ms' ? formatDuration : formatSize
  if (value < min) return { problem: `${shown} is too little`, hint: `write at least ${written(min)}` }
  return { problem: `${shown} is too much`, hint: `write at most ${written(max)}` }
}
