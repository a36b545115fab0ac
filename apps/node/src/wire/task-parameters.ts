import { looseField, type SpecConfig, type Task } from '@saltcod/bacalhau-records'
import type { Json } from '@saltcod/store-core'
import { engineKind, taskProblems } from '../engines/kinds.ts'
import { inputKind } from '../inputs/kinds.ts'
import { publisherKind } from '../publishers/kinds.ts'
import type { UnknownKey } from '../spec/loose-keys.ts'
import { isNodeVariable } from '../spec/node-variables.ts'
import {
  clashingParameters,
  type Declaration,
  parameterProblems,
  unknownParameters,
} from '../spec/parameters.ts'
import { type Problem, placeOf } from '../spec/problem.ts'

/** A part of a task whose parameters this program knows. */
interface DeclaredPart {
  readonly path: readonly PropertyKey[]
  readonly declaration: Declaration<unknown>
  readonly params: SpecConfig['Params']
}

/**
 * The engine, the input sources and the publisher of a task, but for those of types that are not known: their
 * parameters are free.
 */
function partsOf({ Engine, InputSources, Publisher }: Task): readonly DeclaredPart[] {
  return [
    ...part(['Engine'], Engine, engineKind(Engine.Type)),
    ...InputSources.flatMap(({ Source }, index) =>
      part(['InputSources', index, 'Source'], Source, inputKind(Source.Type)),
    ),
    ...part(['Publisher'], Publisher, publisherKind(Publisher.Type)),
  ]
}

function part(
  path: readonly PropertyKey[],
  { Params }: SpecConfig,
  declaration: Declaration<unknown> | undefined,
): readonly DeclaredPart[] {
  return declaration === undefined ? [] : [{ path: [...path, 'Params'], declaration, params: Params }]
}

/** Lists the parameters of a task that nothing reads. */
export function unreadParameters(task: Task, path: readonly PropertyKey[]): readonly UnknownKey[] {
  return partsOf(task).flatMap(({ path: inner, declaration, params }) =>
    unknownParameters(declaration, params).map((key) => ({
      ...key,
      path: `${placeOf([...path, ...inner])}.${key.path}`,
    })),
  )
}

/** Lists what is wrong with the parameters of a task, whatever node it would run on. */
export function wrongParameters(task: Task, path: readonly PropertyKey[]): readonly Problem[] {
  return partsOf(task).flatMap(({ path: inner, declaration, params }) =>
    [...clashingParameters(declaration, params), ...parameterProblems(declaration, params)]
      // What a variable of a node holds is only known there.
      .filter((problem) => !isNodeVariable(valueAt(params, problem.path)))
      .map((problem) => ({ ...problem, path: [...path, ...inner, ...problem.path] })),
  )
}

/** Lists what is wrong with a task as a whole, each part of which is right, whatever node it would run on. */
export function unfitTask(task: Task, path: readonly PropertyKey[]): readonly Problem[] {
  return taskProblems(task).map((problem) => ({ ...problem, path: [...path, ...problem.path] }))
}

/** What a client gave at a place, whatever the case of the names. */
function valueAt(value: Json | undefined, path: readonly PropertyKey[]): Json | undefined {
  return path.reduce<Json | undefined>((inside, part) => {
    if (inside === undefined) return undefined
    if (typeof part !== 'number') return looseField(inside, String(part))
    return Array.isArray(inside) ? (inside as readonly Json[])[part] : undefined
  }, value)
}
