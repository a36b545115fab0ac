import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { stringify } from 'yaml'

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const DIRECTORY = fileURLToPath(new URL('corpus', import.meta.url))
const outcomes = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, { readonly accepted?: Json }>
>

/** The files of the corpus. */
export const TEXTS: readonly string[] = readdirSync(DIRECTORY).map((file) =>
  readFileSync(`${DIRECTORY}/${file}`, 'utf8'),
)

/** The jobs of the corpus that a node takes. */
export const JOBS: readonly Json[] = Object.values(outcomes).flatMap(({ accepted }) => accepted ?? [])

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
export type Mutation =
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
/** A change of a job. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('value' as const), at: fc.nat(60), value }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(60) }),
  fc.record({
    kind: fc.constant('key' as const),
    at: fc.nat(60),
    rename: fc.constantFrom(...RENAMES),
    keep: fc.boolean(),
  }),
)

/** Makes changes to a job, one after the other. */
export function mutated(job: Json, mutations: readonly Mutation[]): Json {
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
export interface Written {
  readonly text: string
  readonly variables: ReadonlyMap<string, string>
}

/** The ways in which a job can be written. */
export const STYLES: readonly ((job: Json) => string)[] = [
  (job) => JSON.stringify(job),
  (job) => JSON.stringify(job, null, '\t'),
  (job) => stringify(job, { lineWidth: 0, version: '1.1' }),
  (job) => stringify(job, { aliasDuplicateObjects: true, defaultStringType: 'QUOTE_SINGLE' }),
  (job) => stringify(job, { collectionStyle: 'flow' }),
]
/** The templates that give a text. */
export const FORMS: readonly ((name: string, text: string) => string)[] = [
  (name) => `{{ printf "%q" .${name} }}`,
  (name) => `{{- if index . "${name}" }} {{ printf "%q" .${name} }} {{ else }} "" {{ end }}`,
  (_, text) => `{{ printf "%q" (or (index . "other") ${JSON.stringify(text)}) }}`,
  (name) => `{{ $x := .${name} }}{{ $x | printf "%q" }}`,
]

/** Writes a job, some of its texts as templates, and what would be read as one as Go has it written. */
export function written(job: Json, style: (job: Json) => string, form: number, every: number): Written {
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
