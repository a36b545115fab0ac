import { readFileSync } from 'node:fs'
import { type JobSpec, jobToWire, NEWEST_CLIENT } from '@saltcod/bacalhau-records'
import type { Job } from '@saltcod/store-core'
import { describe, expect, test } from 'vitest'
import { isApiError } from '../../src/wire/api-error.ts'
import { readSubmit } from '../../src/wire/job-input.ts'

/**
 * What became of a body of a submit, as JSON texts: objects would lose the order of keys, and keys such as
 * `__proto__`.
 */
interface RecordedJob {
  readonly name: string
  readonly body: string
  readonly submitted?: string
  /** The stored job as an answer. */
  readonly wire?: string
  readonly refused?: { readonly code: string; readonly message: string; readonly hint: string | null }
}

const recorded = JSON.parse(
  readFileSync(new URL('./recorded-jobs.json', import.meta.url), 'utf8'),
) as readonly RecordedJob[]

const TOO_LARGE_BYTES = 600

// Said otherwise than before: a network type that is none, which is told as every other value that is none of a few
// words; the network of the host, which a warning tells where nothing asked for it by name; two
// spellings of one key, of which the later counted; wrong parameters beside what makes no sense in a job, and both
// beside what is of a wrong form, all in the order of the file.
describe('a job is stored, answered and refused as it always was', () => {
  test.each(recorded)('$name', ({ name, body, submitted, wire, refused }) => {
    const maxSpecBytes = name === 'too large' ? TOO_LARGE_BYTES : 1024 * 1024
    const answer = readOrRefuse(JSON.parse(body), maxSpecBytes)
    if ('refused' in answer) return expect(answer.refused).toEqual(refused)
    expect(asRecorded(answer.submitted, submitted)).toBe(submitted)
    const { Meta, ...answered } = jobToWire(storedJob(answer.submitted), NEWEST_CLIENT, 'n-1')
    const given = Object.entries(Meta).filter(([key]) => !key.startsWith('bacalhau.org/'))
    const before = JSON.parse(wire ?? 'null') as object
    const inOrder = Object.fromEntries(Object.keys(before).map((key) => [key, key]))
    expect(asRecorded({ ...inOrder, ...answered, Meta: Object.fromEntries(given) }, wire)).toBe(wire)
  })
})

/** The text of a value without the fields that came after it was recorded, which are empty in it. */
function asRecorded(value: object, recordedText: string | undefined): string {
  return JSON.stringify(withoutLater(value, JSON.parse(recordedText ?? 'null')))
}

function withoutLater(now: unknown, then: unknown): unknown {
  if (Array.isArray(now)) return now.map((item, index) => withoutLater(item, (then as unknown[])[index]))
  if (typeof now !== 'object' || now === null || typeof then !== 'object' || then === null) return now
  const known = Object.entries(now).flatMap(([name, inner]) => {
    const before = Object.hasOwn(then, name)
    if (!before && isEmpty(inner)) return []
    return [[name, before ? withoutLater(inner, (then as Record<string, unknown>)[name]) : inner]]
  })
  return Object.fromEntries(known)
}

function isEmpty(value: unknown): boolean {
  const text = JSON.stringify(value)
  return ['""', '0', 'false', '[]', '{}'].includes(text)
}

function readOrRefuse(
  body: unknown,
  maxSpecBytes: number,
): { readonly submitted: ReturnType<typeof readSubmit> } | { readonly refused: unknown } {
  try {
    const submitted = readSubmit(body, { cpu: '500m', memory: '512mb', maxSpecBytes })
    const warnings = submitted.warnings.filter((warning) => !/has the network of the host/.test(warning))
    return { submitted: { ...submitted, warnings } }
  } catch (error) {
    if (!isApiError(error)) throw error
    return { refused: { code: error.code, message: error.message, hint: error.hint ?? null } }
  }
}

function storedJob({ definition, name, namespace }: ReturnType<typeof readSubmit>): Job<JobSpec> {
  const times = { createdAtMs: 1, modifiedAtMs: 2, stateSinceMs: 1, finishedAtMs: null, deadlineAtMs: null }
  const own = {
    id: 'id',
    name: name ?? 'id',
    namespace,
    version: 1,
    revision: 1,
    submitKey: null,
    hold: null,
  }
  return { ...definition, ...own, ...times, state: 'Pending', stateMessage: '' }
}
