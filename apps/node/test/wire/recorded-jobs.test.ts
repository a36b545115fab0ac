import { readFileSync } from 'node:fs'
import type { Job } from '@saltcod/store-core'
import { describe, expect, test } from 'vitest'
import type { JobSpec } from '../../src/spec/job-spec.ts'
import { isApiError } from '../../src/wire/api-error.ts'
import { readSubmit } from '../../src/wire/job-input.ts'
import { jobToWire } from '../../src/wire/job-output.ts'

/** What became of a body of a submit, as JSON texts: objects would lose the order of keys, and keys such as `__proto__`. */
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
const LATEST = { newStateNumbers: true, newNetworkTypes: true }

// Said otherwise than before: a network type that is none, which is told as every other value that is none of a few words.
describe('a job is stored, answered and refused as it always was', () => {
  test.each(recorded)('$name', ({ name, body, submitted, wire, refused }) => {
    const maxSpecBytes = name === 'too large' ? TOO_LARGE_BYTES : 1024 * 1024
    const answer = readOrRefuse(JSON.parse(body), maxSpecBytes)
    if ('refused' in answer) return expect(answer.refused).toEqual(refused)
    expect(JSON.stringify(answer.submitted)).toBe(submitted)
    expect(JSON.stringify(jobToWire(storedJob(answer.submitted), LATEST))).toBe(wire)
  })
})

function readOrRefuse(
  body: unknown,
  maxSpecBytes: number,
): { readonly submitted: ReturnType<typeof readSubmit> } | { readonly refused: unknown } {
  try {
    return { submitted: readSubmit(body, { cpu: '500m', memory: '512mb', maxSpecBytes }) }
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
