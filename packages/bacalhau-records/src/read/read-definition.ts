import { JOB_TYPES, type JobDefinition, type JobType } from '@saltcod/store-core'
import type { z } from 'zod'
import { type JobSpec, jobSchema, specOf, type WrittenJob } from '../spec/job-spec.ts'
import { fitDefinition } from './fit-definition.ts'
import { type TellHere, UnreadableRecord } from './note.ts'

/** A job as Bacalhau stored one version of it. */
export interface StoredDefinition extends JobDefinition<JobSpec> {
  readonly namespace: string
}

/**
 * Reads what is to be done of a stored job. A part of a wrong form counts as absent and is told of. Throws
 * `UnreadableRecord` where nothing that could run is left.
 */
export function readDefinition(
  job: Readonly<Record<string, unknown>>,
  id: string,
  tell: TellHere,
): StoredDefinition {
  const written = readWritten(job, tell)
  if (!isJobType(written.Type)) {
    throw new UnreadableRecord(
      'unknown-word',
      `its type ${JSON.stringify(written.Type.slice(0, 40))} is none of a job`,
    )
  }
  if (written.Tasks.length === 0) throw new UnreadableRecord('wrong-type', 'it has no task')
  const definition: StoredDefinition = {
    name: written.Name.trim() === '' ? id : written.Name,
    namespace: written.Namespace.trim() === '' ? 'default' : written.Namespace,
    type: written.Type,
    priority: written.Priority,
    count: written.Count ?? 0,
    labels: written.Labels,
    spec: specOf(written),
  }
  return fitDefinition(definition, tell)
}

function isJobType(text: string): text is JobType {
  return (JOB_TYPES as readonly string[]).includes(text)
}

function readWritten(job: Readonly<Record<string, unknown>>, tell: TellHere): WrittenJob {
  const read = jobSchema.safeParse(job)
  if (read.success) return read.data
  const rest = structuredClone(job) as Record<string, unknown>
  for (const issue of read.error.issues) {
    const place = placeOf(issue)
    tell('changed', 'wrong-type', `${place} cannot be read (${issue.message}); it counts as absent`)
    takeOut(rest, issue.path)
  }
  const again = jobSchema.safeParse(rest)
  if (again.success) return again.data
  const [first] = again.error.issues
  throw new UnreadableRecord('wrong-type', `${first === undefined ? 'it' : placeOf(first)} cannot be read`)
}

function placeOf({ path }: z.core.$ZodIssue): string {
  return path.length === 0 ? 'the job' : path.map(String).join('.')
}

/** An item of a list goes with its list: the others would get other numbers. */
function takeOut(value: Record<string, unknown>, path: readonly PropertyKey[]): void {
  let holder: unknown = value
  for (const [depth, key] of path.entries()) {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key)) return
    const inner: unknown = Reflect.get(holder, key)
    if (depth === path.length - 1 || (Array.isArray(inner) && depth === path.length - 2)) {
      Reflect.deleteProperty(holder, key)
      return
    }
    holder = inner
  }
}
