import type { ExecutionJob } from '@saltcod/store-core'
import { engineKind, inputsOf } from '../engines/kinds.ts'
import { placementProblems } from '../inputs/placement.ts'
import type { Capacity } from '../link/link.ts'
import type { InputSource } from '../spec/job-spec.ts'
import { parameterLines } from '../spec/parameters.ts'
import { requestedCapacity } from '../spec/requested-capacity.ts'
import type { CapacityLedger } from './capacity-ledger.ts'
import { taskOf } from './job-task.ts'
import { isSafeName } from './layout.ts'
import type { ComputeSettings } from './settings.ts'

/** Whether this node would carry a job out: what it would reserve, or why not. */
export type Admission =
  | { readonly ok: true; readonly needs: Capacity }
  | { readonly ok: false; readonly reason: string }

/** Decides whether this node can carry a job out at all; whether it is busy at the moment does not count. */
export async function considerAdmission(
  executionId: string,
  job: ExecutionJob,
  { engines, publishers, inputSources }: ComputeSettings,
  ledger: CapacityLedger,
): Promise<Admission> {
  if (!isSafeName(executionId)) return refused('the execution id cannot name a directory')
  const task = taskOf(job)
  if (task === null) return refused('the job has no task that this node understands')
  const { Type, Params } = task.Engine
  const engine = engines.get(Type)
  if (engine === undefined) return refused(`this node has no engine ${JSON.stringify(Type)}`)
  const availability = await engine.available()
  if (!availability.ok) return refused(availability.reason)
  const kind = engineKind(Type)
  const problems = kind === undefined ? [] : parameterLines(kind, Params)
  if (problems.length > 0) return refused(problems.join('; '))
  const publisher = task.Publisher.Type.trim().toLowerCase()
  if (publisher !== '' && !publishers.includes(publisher)) {
    return refused(`this node has no publisher ${JSON.stringify(publisher)}`)
  }
  const inputs = inputsOf(task)
  const unknown = inputs.map(typeOf).find((type) => !inputSources.includes(type))
  if (unknown !== undefined) return refused(`this node has no input source ${JSON.stringify(unknown)}`)
  const misplaced = placementProblems(inputs, task.ResultPaths)
  if (misplaced.length > 0) return refused(misplaced.join('; '))
  const needs = requestedCapacity(task.Resources)
  const lacking = ledger.lacking(needs)
  if (lacking.length > 0) {
    const { total } = ledger
    const list = lacking.map((dimension) => `${dimension} ${needs[dimension]} of ${total[dimension]}`)
    return refused(`it asks for more than this node has: ${list.join(', ')}`)
  }
  return { ok: true, needs }
}

function typeOf({ Source }: InputSource): string {
  return Source.Type.trim().toLowerCase()
}

function refused(reason: string): Admission {
  return { ok: false, reason }
}
