import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isFailure } from '@saltcod/cli-kit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { jobOf } from '../../src/job-file/job-of.ts'
import { isApiError } from '../../src/wire/api-error.ts'
import { readSubmit, type SubmittedJob } from '../../src/wire/job-input.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const DIRECTORY = fileURLToPath(new URL('corpus', import.meta.url))
const TEXTS = readdirSync(DIRECTORY).map((file) => readFileSync(`${DIRECTORY}/${file}`, 'utf8'))
const outcomes = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, { readonly accepted?: Json }>
>
const JOBS = Object.values(outcomes).flatMap(({ accepted }) => accepted ?? [])
const RUNS = 400

const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    '',
    'yes',
    '1',
    '010',
    '1e3',
    'null',
    '~',
    '*a',
    '&a',
    '{{',
    '}}',
    ' spaced ',
    '512mb',
    true,
    false,
    null,
    0,
    1,
    -1,
    0.5,
    1e21,
  ),
  fc.string({ maxLength: 8 }),
  fc.integer(),
)
const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom('Type', 'type', 'a', 'Params'), scalar, { maxKeys: 2 }),
  },
)

/** A change of a job at one place of it, the `at`-th in a walk. */
type Mutation =
  | { readonly kind: 'value'; readonly at: number; readonly value: Json }
  | { readonly kind: 'remove'; readonly at: number }
  | {
      readonly kind: 'key'
      readonly at: number
      readonly rename: (key: string) => string
      readonly keep: boolean
    }

const RENAMES: readonly ((key: string) => string)[] = [
  (key) => key.toLowerCase(),
  (key) => key.toUpperCase(),
  (key) => key.slice(0, -1),
  (key) => `${key}s`,
  (key) => key.slice(1) + key.slice(0, 1),
]
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('value' as const), at: fc.nat(60), value }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(60) }),
  fc.record({
    kind: fc.constant('key' as const),
    at: fc.nat(60),
    rename: fc.constantFrom(...RENAMES),
    keep: fc.boolean(),
  }),
)

function mutated(job: Json, mutations: readonly Mutation[]): Json {
  return mutations.reduce((now, change) => mutatedOnce(now, change), job)
}

function mutatedOnce(job: Json, change: Mutation): Json {
  let place = -1
  const walk = (now: Json): Json => {
    if (typeof now !== 'object' || now === null) return now
    if (Array.isArray(now)) return now.map((item: Json) => walk(item))
    return Object.fromEntries(
      Object.entries(now).flatMap(([key, inner]): [string, Json][] => {
        place += 1
        if (place !== change.at) return [[key, walk(inner)]]
        if (change.kind === 'remove') return []
        if (change.kind === 'value') return [[key, change.value]]
        const renamed: [string, Json] = [change.rename(key), inner]
        return change.keep ? [[key, inner], renamed] : [renamed]
      }),
    )
  }
  return walk(job)
}

/** A text for a job, in one of the ways in which it can be written, and the variables of its template. */
interface Written {
  readonly text: string
  readonly variables: ReadonlyMap<string, string>
}

const STYLES: readonly ((job: Json) => string)[] = [
  (job) => JSON.stringify(job),
  (job) => JSON.stringify(job, null, '\t'),
  (job) => stringify(job, { lineWidth: 0, version: '1.1' }),
  (job) => stringify(job, { aliasDuplicateObjects: true, defaultStringType: 'QUOTE_SINGLE' }),
  (job) => stringify(job, { collectionStyle: 'flow' }),
]
const FORMS: readonly ((name: string, text: string) => string)[] = [
  (name) => `{{ printf "%q" .${name} }}`,
  (name) => `{{- if index . "${name}" }} {{ printf "%q" .${name} }} {{ else }} "" {{ end }}`,
  (_, text) => `{{ printf "%q" (or (index . "other") ${JSON.stringify(text)}) }}`,
  (name) => `{{ $x := .${name} }}{{ $x | printf "%q" }}`,
]

/** Writes a job, some of its texts as templates, and what would be read as one as Go has it written. */
function written(job: Json, style: (job: Json) => string, form: number, every: number): Written {
  const variables = new Map<string, string>()
  const marked = (now: Json): Json => {
    if (typeof now === 'string' && every > 0 && now !== '' && (variables.size + now.length) % every === 0) {
      const name = `v${variables.size}`
      variables.set(name, now)
      return `@@${name}@@`
    }
    if (Array.isArray(now)) return now.map((item: Json) => marked(item))
    if (typeof now !== 'object' || now === null) return now
    return Object.fromEntries(Object.entries(now).map(([key, inner]) => [key, marked(inner)]))
  }
  const plain = style(marked(job)).replaceAll('{{', '{{`{{`}}')
  const text = plain.replaceAll(
    /(["']?)@@(v\d+)@@\1/g,
    (_, __, name: string) => (FORMS[form] ?? FORMS[0])?.(name, variables.get(name) ?? '') ?? '',
  )
  return { text, variables }
}

const FREE = new Set(['env', 'meta', 'labels', 'params'])
const AMOUNTS = new Set(['cpu', 'memory', 'disk', 'gpu'])

function keptOf({ name, namespace, definition, id }: SubmittedJob): Json {
  const { type, priority, count, labels, spec } = definition
  return JSON.parse(
    JSON.stringify({
      ID: id,
      Name: name,
      Namespace: namespace,
      Type: type,
      Priority: priority,
      Count: count,
      Labels: labels,
      ...spec,
    }),
  ) as Json
}

/** Lists the places of what a job says and what is kept of it does not, which no warning names. */
function silentlyOther(
  said: Json,
  kept: Json | undefined,
  warnings: string,
  path: readonly string[] = [],
): string[] {
  const key = path.at(-1) ?? ''
  if (said === null || said === '') return []
  if (typeof said === 'object') {
    const parts = Object.entries(said)
    const free = path.some((part) => FREE.has(part.toLowerCase()))
    return parts.flatMap(([name, inner]) => {
      const wanted = free ? name : name.toLowerCase()
      const found =
        typeof kept === 'object' && kept !== null
          ? Object.entries(kept).find(([other]) => (free ? other : other.toLowerCase()) === wanted)?.[1]
          : undefined
      if (found === undefined && warnings.toLowerCase().includes(name.toLowerCase()) && name !== '') return []
      return silentlyOther(inner, found, warnings, [...path, name])
    })
  }
  if (sameText(said, kept)) return []
  if (typeof said === 'string' && said.trim() === '') return []
  const amount = AMOUNTS.has(key.toLowerCase()) && String(said) === String(kept)
  // As many as there are nodes, whatever is said; more than one is refused.
  const everywhere = key.toLowerCase() === 'count' && path.length === 1 && kept === 0
  // What is there when nothing is said.
  const nothing = (said === 0 || said === false) && (kept === undefined || kept === '')
  return amount || everywhere || nothing
    ? []
    : [`${path.join('.')}: ${JSON.stringify(said)} is kept as ${JSON.stringify(kept)}`]
}

/** Texts are trimmed, and words are in lower case; nothing more happens to them. */
function sameText(said: Json, kept: Json | undefined): boolean {
  if (said === kept) return true
  if (typeof said !== 'string' || typeof kept !== 'string') return false
  return said.trim() === kept || said.toLowerCase().replaceAll(/\s/g, '') === kept.toLowerCase()
}

function readOrRefuse(text: string, variables: ReadonlyMap<string, string>): Json | undefined {
  try {
    return JSON.parse(JSON.stringify(jobOf({ name: 'f', text, variables }))) as Json
  } catch (error) {
    if (!isFailure(error)) throw error
    expect(error.lines.length).toBeGreaterThan(0)
    expect(error.message).not.toMatch(/undefined|\[object|NaN|at .*\.js|stringKeys/)
    return undefined
  }
}

test('a job file that is taken is kept as it says, or what is not kept is named', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...JOBS),
      fc.array(mutation, { maxLength: 4 }),
      fc.constantFrom(...STYLES),
      fc.nat(FORMS.length - 1),
      fc.nat(4),
      (base, mutations, style, form, every) => {
        const job = JSON.parse(JSON.stringify(mutated(base, mutations))) as Json
        const { text, variables } = written(job, style, form, every)
        const read = readOrRefuse(text, variables)
        if (read === undefined) return
        expect(read, text).toEqual(job)
        try {
          const submitted = readSubmit({ Job: read })
          expect(silentlyOther(job, keptOf(submitted), submitted.warnings.join('\n')), text).toEqual([])
        } catch (error) {
          if (!isApiError(error)) throw error
          expect(error.message).not.toMatch(/undefined|\[object|NaN/)
        }
      },
    ),
    { numRuns: RUNS },
  )
})

test('a text that is damaged anywhere is read as plain YAML reads it, or refused in our own words', () => {
  const pieces = fc.constantFrom(
    '',
    ' ',
    '\n',
    '\t',
    ':',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '!!x ',
    '? ',
    '|',
    '#',
    '<<: ',
    '---\n',
    '0',
    'é',
    '%',
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...TEXTS),
      fc.array(fc.tuple(fc.nat(2_000), fc.nat(3), pieces), { minLength: 1, maxLength: 3 }),
      (text, cuts) => {
        const damaged = cuts.reduce((now, [at, length, piece]) => {
          const place = at % (now.length + 1)
          return now.slice(0, place) + piece + now.slice(place + length)
        }, text)
        readOrRefuse(damaged, new Map([['name', 'x']]))
        if (damaged.includes('{{')) return
        const read = readOrRefuse(damaged, new Map())
        if (read !== undefined)
          expect(JSON.parse(JSON.stringify(parse(damaged, { merge: true, logLevel: 'error' })))).toEqual(read)
      },
    ),
    { numRuns: RUNS },
  )
})
