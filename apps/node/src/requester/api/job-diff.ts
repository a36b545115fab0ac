import { isDeepStrictEqual } from 'node:util'
import { ApiError } from '../../wire/api-error.ts'
import { readSubmit } from '../../wire/job-input.ts'
import type { RequesterContext } from '../context.ts'

/** What a submit would change. */
export interface JobDiff {
  /** A line for each value that is another one; empty where none is. */
  readonly Diff: string
  readonly Warnings: readonly string[] | null
}

/**
 * Says what a new version of a job would change, and stores nothing. Throws what a submit would, and `NotFound` where
 * no job has the name.
 */
export async function diffJob({ store, settings }: RequesterContext, body: unknown): Promise<JobDiff> {
  const { name, namespace, definition, warnings } = readSubmit(body, settings.jobs)
  if (name === null) {
    throw new ApiError('BadRequest', 'missing job name', {
      hint: 'a job is compared with the one of its name',
    })
  }
  const present = await store.getJobByName(namespace, name)
  if (present === null) {
    throw new ApiError('NotFound', `job name index not found: ${name}:${namespace}`, {
      component: 'JobStore',
      hint: 'a submit would make a new job of it',
    })
  }
  const { type, priority, count, labels, spec } = present
  const before = { Type: type, Priority: priority, Count: count, Labels: labels, ...spec }
  const after = {
    Type: definition.type,
    Priority: definition.priority,
    Count: definition.count,
    Labels: definition.labels,
    ...definition.spec,
  }
  const lines = differences('', before, after)
  return {
    Diff: lines.map((line) => `${line}\n`).join(''),
    Warnings: warnings.length === 0 ? null : warnings,
  }
}

/** Lists what is another value, as lines that begin with - for what was and with + for what would be. */
function differences(path: string, before: unknown, after: unknown): string[] {
  if (isDeepStrictEqual(before, after)) return []
  const [old, young] = [partsOf(before), partsOf(after)]
  if (old === null || young === null || old.isList !== young.isList) {
    return [...lineOf('-', path, before), ...lineOf('+', path, after)]
  }
  const names = [...new Set([...old.parts.keys(), ...young.parts.keys()])]
  return names.flatMap((name) =>
    differences(
      old.isList ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`,
      old.parts.get(name),
      young.parts.get(name),
    ),
  )
}

function partsOf(value: unknown): { readonly isList: boolean; readonly parts: Map<string, unknown> } | null {
  if (typeof value !== 'object' || value === null) return null
  return { isList: Array.isArray(value), parts: new Map(Object.entries(value)) }
}

function lineOf(sign: string, path: string, value: unknown): string[] {
  return value === undefined ? [] : [`${sign} ${path}: ${JSON.stringify(value)}`]
}
