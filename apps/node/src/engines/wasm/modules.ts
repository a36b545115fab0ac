import { posix } from 'node:path'
import type { InputSource } from '@saltcod/bacalhau-records'
import { mountPath, mountPathProblem } from '../../inputs/mount-path.ts'
import { inputPath } from '../../inputs/placement.ts'
import { isNodeVariable } from '../../spec/node-variables.ts'
import type { Problem } from '../../spec/problem.ts'
import type { ModuleReference, WasmParameters } from './parameters.ts'

/** An input, as far as modules are looked for in it. */
export interface PlacedInput {
  readonly target: string
  readonly alias: string
}

/**
 * Returns where the job's file system holds a module: what its name is the path of, or the target of the input that
 * has it as its alias. `undefined` where it is neither.
 */
export function modulePath(name: string, inputs: readonly PlacedInput[]): string | undefined {
  const path = mountPathProblem(name) === undefined ? mountPath(name) : undefined
  // A directory may hold the module, and a module may be named by the directory that it is in.
  const isPlace = ({ target }: PlacedInput): boolean =>
    path !== undefined && (path === target || path.startsWith(`${target}/`) || target.startsWith(`${path}/`))
  if (path !== undefined && inputs.some(({ target }) => target === path)) return path
  const aliased = inputs.find(({ alias }) => alias !== '' && alias === name)
  if (aliased !== undefined) return aliased.target
  return inputs.some(isPlace) ? path : undefined
}

/** Lists the modules of a task that none of its inputs can bring in, whatever they hold. */
export function missingModules(
  { entryModule, importModules }: WasmParameters,
  inputs: readonly InputSource[],
): readonly Problem[] {
  const placed = inputs.flatMap((input) =>
    mountPathProblem(input.Target) === undefined ? [{ target: inputPath(input), alias: input.Alias }] : [],
  )
  const missing = ({ name, input }: ModuleReference): boolean =>
    input === undefined && !isNodeVariable(name) && modulePath(name, placed) === undefined
  const problem = (path: Problem['path'], { name }: ModuleReference): Problem => ({
    path,
    message: `names ${JSON.stringify(name)}, which no input brings in; give the Target or the Alias of one`,
  })
  return [
    ...(missing(entryModule) ? [problem(['EntryModule'], entryModule)] : []),
    ...importModules.flatMap((module, index) =>
      missing(module) ? [problem(['ImportModules', index], module)] : [],
    ),
  ]
}

/** The names by which guests may import what lies at a path, the most exact ones first. */
export function importNames(path: string, others: readonly string[]): readonly string[] {
  return [...others.filter((name) => name !== ''), path, path.slice(1), posix.basename(path)]
}
