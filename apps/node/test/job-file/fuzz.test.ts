import { isFailure } from '@saltcod/cli-kit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { jobOf } from '../../src/job-file/job-of.ts'
import { isApiError } from '../../src/wire/api-error.ts'
import { readSubmit, type SubmittedJob } from '../../src/wire/job-input.ts'
import { FORMS, JOBS, type Json, mutated, mutation, STYLES, TEXTS, written } from './mutated-job.ts'
import { silentlyOther } from './silently-other.ts'

const RUNS = 400

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
