import { Failure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { jobSchema } from '../spec/job-spec.ts'
import { unknownKey } from '../spec/loose-keys.ts'
import { keysSetByNode, otherFormat } from '../spec/other-format.ts'
import { isApiError } from '../wire/api-error.ts'
import { readSubmit } from '../wire/job-input.ts'
import { readYaml, type YamlComplaint } from './yaml-value.ts'

/** A job as it is written in a file. */
export type JobObject = Readonly<Record<string, unknown>>

const KEYS = Object.keys(jobSchema.shape).map((key) => key.toLowerCase())
const MOST_NAMED_KEYS = 10

/**
 * Reads the job that a text of YAML or JSON holds; `name` is what people call the text. Throws a `Failure` that says
 * what is wrong with it. Whether a node takes the job is not looked at, unless it has keys that no job has.
 */
export function jobOf(name: string, text: string): JobObject {
  if (text.trim() === '') throw wrong(`${name} is empty`, 'it must hold a job as YAML or JSON')
  const job = readValue(name, text)
  if (typeof job !== 'object' || job === null || Array.isArray(job)) {
    throw wrong(`${name} does not hold a job`, `write an object with the keys ${KEYS.join(', ')}`)
  }
  const other = otherFormat(job)
  if (other !== undefined) throw wrong(`${name} is ${other.what}`, other.hint)
  refuseUnknownKeys(name, job)
  return job as JobObject
}

/** Says what is wrong with a job whatever node would get it, a line each; empty where all is well. */
function problemsOf(job: object): readonly string[] {
  try {
    readSubmit({ Job: job })
    return []
  } catch (error) {
    if (isApiError(error)) return error.message.split('\n')
    throw error
  }
}

function readValue(name: string, text: string): unknown {
  const read = readYaml(text)
  if ('value' in read) return read.value
  const at = ({ line, column, message }: YamlComplaint): string =>
    `line ${line}, column ${column}: ${message}`
  if ('severalDocuments' in read) {
    throw wrong(
      `${name} holds several documents, and a job is one: the second begins in line ${read.severalDocuments.line}`,
      'make a file of each part between the lines ---, and submit each',
    )
  }
  if ('broken' in read) throw wrong(`${name} is neither YAML nor JSON: ${at(read.broken)}`)
  throw wrong(read.complaints.map((complaint) => `${name}, ${at(complaint)}`))
}

function refuseUnknownKeys(name: string, job: object): void {
  const unknown = Object.keys(job).filter((key) => !KEYS.includes(key.toLowerCase()))
  if (unknown.length === 0) return
  const others = problemsOf(Object.fromEntries(Object.entries(job).filter(([key]) => !unknown.includes(key))))
  const byNode = keysSetByNode(job)
  if (byNode.length === unknown.length) {
    throw wrong(
      [`${name} has keys that only a node sets: ${byNode.join(', ')}`, ...others],
      'leave them out; to run a job again: saltcod job rerun ID',
    )
  }
  const named = unknown.slice(0, MOST_NAMED_KEYS).join(', ')
  const more = unknown.length - MOST_NAMED_KEYS
  const near = unknown.flatMap((key) => unknownKey('', key, KEYS).near ?? [])
  throw wrong(
    [`${name} has unknown keys: ${named}${more > 0 ? ` and ${more} more` : ''}`, ...others],
    near.length === 0 ? `a job has the keys ${KEYS.join(', ')}` : `did you mean ${near.join(', ')}?`,
  )
}

function wrong(lines: string | readonly string[], hint?: string): Failure {
  return new Failure(EXIT.failed, lines, { hint })
}
