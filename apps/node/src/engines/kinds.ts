import type { InputSource, Task } from '@saltcod/bacalhau-records'
import { placementProblems } from '../inputs/placement.ts'
import { readParameters } from '../spec/parameters.ts'
import type { Problem } from '../spec/problem.ts'
import { docker } from './docker/docker.ts'
import type { EngineKind } from './engine-kind.ts'
import { exec } from './exec/exec.ts'
import { networkProblems, networkWarning } from './network.ts'
import { noop } from './noop/noop.ts'
import { wasm } from './wasm/wasm.ts'

/** All engines that there are. */
export const ENGINE_KINDS: readonly EngineKind[] = [wasm, exec, docker, noop]

/** The engines that a job may name. */
export const ENGINE_NAMES: readonly string[] = ENGINE_KINDS.map(({ type }) => type)

/** Finds the kind of engine that a job names; `undefined` where this program knows none. */
export function engineKind(type: string): EngineKind | undefined {
  const wanted = type.trim().toLowerCase()
  return ENGINE_KINDS.find((kind) => kind.type === wanted)
}

/**
 * Lists every input that must be there for a task: its own, and those that the parameters of its engine bring along.
 */
export function inputsOf({
  Engine,
  InputSources,
}: Pick<Task, 'Engine' | 'InputSources'>): readonly InputSource[] {
  const kind = engineKind(Engine.Type)
  if (kind?.inputsOf === undefined) return InputSources
  const read = readParameters(kind, Engine.Params)
  return 'data' in read ? [...InputSources, ...kind.inputsOf(read.data)] : InputSources
}

/**
 * Lists what is wrong with a task whose parameters are what they are declared to be, whatever the node: where its
 * inputs and results lie, and what its engine says.
 */
export function taskProblems(task: Task): readonly Problem[] {
  const { Engine, InputSources, ResultPaths, Network } = task
  const places = placementProblems(inputsOf(task), ResultPaths).map((message) => ({ path: [], message }))
  const kind = engineKind(Engine.Type)
  if (kind === undefined) return places
  const read = readParameters(kind, Engine.Params)
  const problems = 'problems' in read ? [] : (kind.problemsOf?.(read.data, InputSources) ?? [])
  return [
    ...places,
    ...problems.map(({ path, message }) => ({ path: ['Engine', 'Params', ...path], message })),
    ...networkProblems(kind, Network).map(({ path, message }) => ({ path: ['Network', ...path], message })),
  ]
}

/** Says where a task gets less than it names, one line each. */
export function taskWarnings({ Engine, Network }: Task): readonly string[] {
  const kind = engineKind(Engine.Type)
  const warning = kind === undefined ? null : networkWarning(kind, Network)
  return warning === null ? [] : [warning]
}
