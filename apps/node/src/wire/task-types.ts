import type { Task } from '@saltcod/bacalhau-records'
import { nearestName } from '@saltcod/config'
import { ENGINE_NAMES } from '../engines/kinds.ts'
import { INPUT_NAMES } from '../inputs/kinds.ts'
import { PUBLISHER_NAMES } from '../publishers/kinds.ts'
import type { Problem } from '../spec/problem.ts'
import { shortText } from './api-error.ts'

/** What Bacalhau's requesters once made another engine of, which is no engine of any node. */
const SHORT_FORMS: ReadonlySet<string> = new Set(['python', 'duckdb'])

/**
 * Lists the types of a task that are those of nothing: mistakes, since no node has them. A type that some node may
 * have is none, and waits for it.
 */
export function unknownTypes(task: Task, path: readonly PropertyKey[]): readonly Problem[] {
  const { Engine, InputSources, Publisher } = task
  return [
    ...unknownType(Engine.Type, [...path, 'Engine', 'Type'], 'engine', ENGINE_NAMES),
    ...InputSources.flatMap(({ Source }, index) =>
      unknownType(
        Source.Type,
        [...path, 'InputSources', index, 'Source', 'Type'],
        'input source',
        INPUT_NAMES,
      ),
    ),
    ...unknownType(Publisher.Type, [...path, 'Publisher', 'Type'], 'publisher', PUBLISHER_NAMES),
  ]
}

function unknownType(
  type: string,
  path: readonly PropertyKey[],
  what: string,
  names: readonly string[],
): readonly Problem[] {
  const wanted = type.toLowerCase()
  if (type === '' || names.some((name) => name.toLowerCase() === wanted)) return []
  const called = `is ${JSON.stringify(shortText(type, 100))}, which is no ${what}`
  if (what === 'engine' && SHORT_FORMS.has(wanted)) {
    return [
      {
        path,
        message: `${called}: requesters of Bacalhau 1.2 to 1.4 made a job of the engine docker of it; write such a job, or one of the engine exec`,
      },
    ]
  }
  const near = nearestName(type, names)
  const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`
  return [{ path, message: `${called}; ${hint}` }]
}
