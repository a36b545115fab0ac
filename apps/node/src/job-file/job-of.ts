import { jobSchema } from '@saltcod/bacalhau-records'
import { Failure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { keysOf, unknownKey } from '../spec/loose-keys.ts'
import { isSetByNode, otherFormat } from '../spec/other-format.ts'
import { isApiError } from '../wire/api-error.ts'
import { readSubmit } from '../wire/job-input.ts'
import { fillIn } from './template/fill-in.ts'
import { readYaml, type YamlComplaint } from './yaml-value.ts'

/** A job as it is written in a file. */
export type JobObject = Readonly<Record<string, unknown>>

const SHAPE = keysOf(jobSchema)
const KEYS = Object.keys(SHAPE).map((key) => key.toLowerCase())
const MOST_NAMED_KEYS = 10
const LONGEST_LINE = 200

/** A text that holds a job. */
export interface JobText {
  /** What people call it. */
  readonly name: string
  readonly text: string
  /** What its template is filled in with; without, it is taken as it stands. */
  readonly variables?: ReadonlyMap<string, string> | undefined
}

/**
 * Reads the job that a text of YAML or JSON holds, once its template is filled in. Throws a `Failure` that says
 * what is wrong with it. Whether a node takes the job is not looked at, unless it has keys that no job has.
 */
export function jobOf({ name, text, variables }: JobText): JobObject {
  if (text.trim() === '') throw wrong(`${name} is empty`, 'it must hold a job as YAML or JSON')
  const filled = variables === undefined ? text : filledIn(name, text, variables)
  const job = filled === text ? readValue(name, text) : readFilled(name, filled)
  if (typeof job !== 'object' || job === null || Array.isArray(job)) {
    throw wrong(`${name} does not hold a job`, `write an object with the keys ${KEYS.join(', ')}`)
  }
  refuseOtherFormat(name, job)
  refuseUnknownKeys(name, job)
  return job as JobObject
}

/** What is to be said of a job whatever node would get it. */
export interface Examined {
  /** What is wrong with it, a line each; empty where all is well. */
  readonly problems: readonly string[]
  /** What a node would leave out or change. */
  readonly warnings: readonly string[]
}

/** Says what is wrong with a job, and what a node would leave out, as a node would say it. */
export function examine(job: object): Examined {
  try {
    return { problems: [], warnings: readSubmit({ Job: job }).warnings }
  } catch (error) {
    if (isApiError(error)) return { problems: error.message.split('\n'), warnings: [] }
    throw error
  }
}

function filledIn(name: string, text: string, variables: ReadonlyMap<string, string>): string {
  const filled = fillIn(text, variables)
  if ('text' in filled) return filled.text
  const lines = filled.problems.map(({ message, offset }) => {
    const before = text.slice(0, offset).split('\n')
    return `${name}, line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${message}`
  })
  const missing = filled.problems.flatMap(({ variable }) => variable ?? [])
  const [first] = missing
  const hint =
    first === undefined
      ? filled.problems.find(({ hint: found }) => found !== undefined)?.hint
      : `give ${missing.length === 1 ? 'it' : 'them'}: ${missing.map((variable) => `-V ${variable}=VALUE`).join(' ')}; or write a default: {{or (index . "${first}") "default"}}; --no-template takes a file as it stands`
  throw wrong(lines, hint)
}

function readFilled(name: string, filled: string): unknown {
  const lines = filled.split('\n')
  // Nobody has seen the line that is meant.
  const hint = ({ line }: YamlComplaint): string =>
    `line ${line} is then: ${(lines[line - 1] ?? '').trim().slice(0, LONGEST_LINE)}`
  return readValue(`${name}, its template filled in`, filled, hint)
}

function readValue(name: string, text: string, hint?: (complaint: YamlComplaint) => string): unknown {
  const read = readYaml(text, isSetByNode)
  if ('value' in read) return read.value
  const at = ({ line, column, message }: YamlComplaint): string =>
    `line ${line}, column ${column}: ${message}`
  if ('severalDocuments' in read) {
    throw wrong(
      `${name} holds several documents, and a job is one: the second begins in line ${read.severalDocuments.line}`,
      'make a file of each part between the lines ---, and submit each',
    )
  }
  if ('broken' in read)
    throw wrong(`${name} is neither YAML nor JSON: ${at(read.broken)}`, hint?.(read.broken))
  const { roughly } = read
  if (typeof roughly === 'object' && roughly !== null && !Array.isArray(roughly)) {
    // What it is matters more than what is wrong in it.
    refuseOtherFormat(name, roughly)
  }
  const [first] = read.complaints
  throw wrong(
    read.complaints.map((complaint) => `${name}, ${at(complaint)}`),
    first && hint?.(first),
  )
}

function refuseOtherFormat(name: string, job: object): void {
  const other = otherFormat(job)
  if (other !== undefined) throw wrong(`${name} is ${other.what}`, other.hint)
}

function refuseUnknownKeys(name: string, job: object): void {
  // What Bacalhau's --dry-run prints, and a node answers, is a job file too; what is in these keys a node tells.
  const unknown = Object.keys(job).filter((key) => !KEYS.includes(key.toLowerCase()) && !isSetByNode(key))
  if (unknown.length === 0) return
  const known = Object.entries(job).filter(([key]) => !unknown.includes(key))
  const { problems: others } = examine(Object.fromEntries(known))
  const named = unknown.slice(0, MOST_NAMED_KEYS).join(', ')
  const more = unknown.length - MOST_NAMED_KEYS
  const near = unknown.flatMap((key) => unknownKey('', key, SHAPE).near ?? [])
  throw wrong(
    [`${name} has unknown keys: ${named}${more > 0 ? ` and ${more} more` : ''}`, ...others],
    near.length === 0 ? `a job has the keys ${KEYS.join(', ')}` : `did you mean ${near.join(', ')}?`,
  )
}

function wrong(lines: string | readonly string[], hint?: string): Failure {
  return new Failure(EXIT.failed, lines, { hint })
}
