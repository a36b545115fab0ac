import type { InputSource, Task } from '@saltcod/bacalhau-records'
import type { ExecutionJob } from '@saltcod/store-core'
import type { CapacityLedger } from '../capacity-ledger.ts'
import { engineKind, inputsOf } from '../engines/kinds.ts'
import type { InputPolicy } from '../inputs/input-policy.ts'
import { inputKind } from '../inputs/kinds.ts'
import { inputName, placementProblems } from '../inputs/placement.ts'
import type { Capacity } from '../link/link.ts'
import { parameterLines, readParameters } from '../spec/parameters.ts'
import { problemLine } from '../spec/problem.ts'
import { requestedCapacity } from '../spec/requested-capacity.ts'
import { taskOf } from './job-task.ts'
import { isSafeName } from './layout.ts'
import { resolveTask } from './node-variables.ts'
import type { ComputeSettings } from './settings.ts'

/** Whether this node would carry a job out: what it would reserve, or why not. */
export type Admission =
  | { readonly ok: true; readonly needs: Capacity }
  | { readonly ok: false; readonly reason: string }

/** Decides whether this node can carry a job out at all; whether it is busy at the moment does not count. */
export async function considerAdmission(
  executionId: string,
  job: ExecutionJob,
  settings: ComputeSettings,
  ledger: CapacityLedger,
): Promise<Admission> {
  if (!isSafeName(executionId)) return refused('the execution id cannot name a directory')
  const written = taskOf(job)
  if (written === null) return refused('the job has no task that this node understands')
  const { Type } = written.Engine
  const engine = settings.engines.get(Type)
  if (engine === undefined) return refused(`this node has no engine ${JSON.stringify(Type)}`)
  const availability = await engine.available()
  if (!availability.ok) return refused(availability.reason)
  const lackingHere = (await engine.denial?.(written)) ?? null
  if (lackingHere !== null) return refused(lackingHere)
  const resolved = resolveTask(written, settings.variables)
  if (typeof resolved === 'string') return refused(resolved)
  const { task, hide } = resolved
  const problem = await taskProblem(task, settings)
  if (problem !== null) return refused(hide(problem))
  const needs = requestedCapacity(task.Resources)
  const lacking = ledger.lacking(needs)
  if (lacking.length > 0) {
    const { total } = ledger
    const list = lacking.map((dimension) => `${dimension} ${needs[dimension]} of ${total[dimension]}`)
    return refused(`it asks for more than this node has: ${list.join(', ')}`)
  }
  return { ok: true, needs }
}

/** Says what of a task this node cannot do; `null` where it can do all of it. */
async function taskProblem(
  task: Task,
  { publishers, inputSources, inputPolicy }: ComputeSettings,
): Promise<string | null> {
  const { Type, Params } = task.Engine
  const kind = engineKind(Type)
  const problems = kind === undefined ? [] : parameterLines(kind, Params)
  if (problems.length > 0) return problems.join('; ')
  const publisher = task.Publisher.Type.trim().toLowerCase()
  if (publisher !== '' && !publishers.includes(publisher)) {
    return `this node has no publisher ${JSON.stringify(publisher)}`
  }
  const inputs = inputsOf(task)
  const unknown = inputs.map(typeOf).find((type) => !inputSources.includes(type))
  if (unknown !== undefined) return `this node has no input source ${JSON.stringify(unknown)}`
  const misplaced = placementProblems(inputs, task.ResultPaths)
  if (misplaced.length > 0) return misplaced.join('; ')
  for (const [index, input] of inputs.entries()) {
    const denial = await inputDenial(input, inputPolicy)
    if (denial !== null) return `${inputName(input, index)}: ${denial}`
  }
  return null
}

async function inputDenial({ Source }: InputSource, policy: InputPolicy): Promise<string | null> {
  const kind = inputKind(Source.Type)
  if (kind === undefined) return null
  const read = readParameters(kind, Source.Params)
  if ('problems' in read) return read.problems.map(problemLine).join('; ')
  const fetcher = await kind.load()
  return (await fetcher.denial?.(read.data, policy)) ?? null
}

function typeOf({ Source }: InputSource): string {
  return Source.Type.trim().toLowerCase()
}

function refused(reason: string): Admission {
  return { ok: false, reason }
}
