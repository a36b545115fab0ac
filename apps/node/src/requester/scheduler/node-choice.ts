import type { Job, LabelRequirement } from '@saltcod/store-core'
import { labelsMatch } from '@saltcod/store-core'
import { engineKind } from '../../engines/kinds.ts'
import type { Capacity } from '../../link/link.ts'
import type { Constraint, JobSpec } from '../../spec/job-spec.ts'
import { onlyTask } from '../../spec/job-spec.ts'
import { requestedCapacity } from '../../spec/requested-capacity.ts'
import type { SchedulableNode } from './view.ts'

/** Which nodes can do a job, and why the others cannot. */
export interface Suitability {
  readonly suitable: readonly SchedulableNode[]
  readonly reasons: ReadonlyMap<string, string>
}

/** Sorts nodes by whether they can do a job at all, whatever they are doing now. */
export function suitableNodes(job: Job<JobSpec>, nodes: readonly SchedulableNode[]): Suitability {
  const suitable: SchedulableNode[] = []
  const reasons = new Map<string, string>()
  for (const node of nodes) {
    const reason = unsuitability(job, node)
    if (reason === null) suitable.push(node)
    else reasons.set(node.description.nodeId, reason)
  }
  return { suitable, reasons }
}

function unsuitability(job: Job<JobSpec>, { description }: SchedulableNode): string | null {
  const task = onlyTask(job.spec)
  const has = (offered: readonly string[], type: string): boolean => {
    return offered.some((name) => name.toLowerCase() === type.toLowerCase())
  }
  if (!has(description.engines, task.Engine.Type)) {
    const offered = `it has no engine ${task.Engine.Type} (it has ${description.engines.join(', ') || 'none'})`
    const remedy = engineKind(task.Engine.Type)?.remedy
    return remedy === undefined ? offered : `${offered}; ${remedy}`
  }
  if (task.Publisher.Type !== '' && !has(description.publishers, task.Publisher.Type)) {
    return `it has no publisher ${task.Publisher.Type} (it has ${description.publishers.join(', ') || 'none'})`
  }
  for (const { Source } of task.InputSources) {
    if (!has(description.inputSources, Source.Type)) {
      return `it cannot read inputs of type ${Source.Type} (it reads ${description.inputSources.join(', ') || 'none'})`
    }
  }
  if (!labelsMatch(description.labels, job.spec.Constraints.map(toLabelRequirement))) {
    return 'its labels do not meet the constraints of the job'
  }
  return missingCapacity(requestedCapacity(task.Resources), description.capacity)
}

function missingCapacity(wanted: Capacity, has: Capacity): string | null {
  if (wanted.cpu > has.cpu) return `the job wants ${wanted.cpu} CPU, it has ${has.cpu}`
  if (wanted.memoryBytes > has.memoryBytes) {
    return `the job wants ${wanted.memoryBytes} bytes of memory, it has ${has.memoryBytes}`
  }
  if (wanted.diskBytes > has.diskBytes) {
    return `the job wants ${wanted.diskBytes} bytes of disk, it has ${has.diskBytes}`
  }
  return wanted.gpu > has.gpu ? `the job wants ${wanted.gpu} GPUs, it has ${has.gpu}` : null
}

/** Hands out nodes one after another, the least busy first, counting what it has handed out. */
export class NodePicker {
  readonly #busy: Map<SchedulableNode, number>

  constructor(nodes: readonly SchedulableNode[]) {
    this.#busy = new Map(
      nodes.map((node) => [node, node.load.runningExecutions + node.load.enqueuedExecutions]),
    )
  }

  /** Returns the least busy node that none of `refusals` names; `null` where there is none. */
  pick(refusals: ReadonlyMap<string, string>): SchedulableNode | null {
    let best: SchedulableNode | null = null
    let least = Number.POSITIVE_INFINITY
    for (const [node, busy] of this.#busy) {
      if (busy >= least || refusals.has(node.description.nodeId)) continue
      best = node
      least = busy
    }
    if (best !== null) this.#busy.set(best, least + 1)
    return best
  }
}

/** Turns a constraint of a job into a requirement on labels. */
function toLabelRequirement({ Key, Operator, Values }: Constraint): LabelRequirement {
  const operator = Operator === '!' ? '!exists' : Operator === '==' ? '=' : Operator
  return { key: Key, operator, values: Values }
}
