import type { InputSource, Task } from '../spec/job-spec.ts'
import { readParameters } from '../spec/parameters.ts'
import type { EngineKind } from './engine-kind.ts'
import { exec } from './exec/exec.ts'
import { noop } from './noop/noop.ts'
import { wasm } from './wasm/wasm.ts'

/** All engines that there are. */
export const ENGINE_KINDS: readonly EngineKind[] = [wasm, exec, noop]

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
