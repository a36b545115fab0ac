import { type Constraint, type JobSpec, onlyTask } from '@saltcod/bacalhau-records'
import { bytesText } from '@saltcod/cli-kit'
import type { Job, LabelRequirement } from '@saltcod/store-core'
import { labelsMatch } from '@saltcod/store-core'
import { engineKind } from '../../engines/kinds.ts'
import type { Capacity, NodeDescription } from '../../link/link.ts'
import { requestedCapacity } from '../../spec/requested-capacity.ts'
import type { SchedulableNode } from './view.ts'

/** Which nodes can do a job, and why each of the others cannot, with all that is in the way. */
export interface Suitability {
  readonly suitable: readonly SchedulableNode[]
  readonly reasons: ReadonlyMap<string, string>
}

/** Sorts nodes by whether they can do a job at all, whatever they are doing now. */
export function suitableNodes(job: Job<JobSpec>, nodes: readonly SchedulableNode[]): Suitability {
  const suitable: SchedulableNode[] = []
  const reasons = new Map<string, string>()
  for (const node of nodes) {
    const obstacles = obstaclesOf(job, node)
    if (obstacles.length === 0) suitable.push(node)
    else reasons.set(node.description.nodeId, obstacles.join('; '))
  }
  return { suitable, reasons }
}

function obstaclesOf(job: Job<JobSpec>, { description }: SchedulableNode): string[] {
  const task = onlyTask(job.spec)
  const { engines, missingEngines = {}, publishers, inputSources, labels, capacity } = description
  const found: string[] = []
  if (!has(engines, task.Engine.Type)) {
    const type = engineKind(task.Engine.Type)?.type ?? task.Engine.Type
    const reason = Object.hasOwn(missingEngines, type) ? missingEngines[type] : undefined
    const lacks = `it has no engine ${task.Engine.Type} (it has ${list(engines)})`
    found.push(reason === undefined ? lacks : `${lacks}: ${reason}`)
  }
  if (task.Publisher.Type !== '' && !has(publishers, task.Publisher.Type))
    found.push(`it has no publisher ${task.Publisher.Type} (it has ${list(publishers)})`)
  const inputs = new Set(task.InputSources.map(({ Source }) => Source.Type))
  for (const type of inputs) {
    if (!has(inputSources, type))
      found.push(`it cannot read inputs of type ${type} (it reads ${list(inputSources)})`)
  }
  for (const constraint of job.spec.Constraints) {
    if (!labelsMatch(labels, [toLabelRequirement(constraint)])) found.push(unmet(constraint, labels))
  }
  return [...found, ...missingCapacity(requestedCapacity(task.Resources), capacity)]
}

function has(offered: readonly string[], type: string): boolean {
  return offered.some((name) => name.toLowerCase() === type.toLowerCase())
}

function list(offered: readonly string[]): string {
  return offered.join(', ') || 'none'
}

function unmet({ Key, Operator, Values }: Constraint, labels: NodeDescription['labels']): string {
  const label = Object.hasOwn(labels, Key) ? `its label ${Key} is ${labels[Key] || 'empty'}` : null
  const values = Operator === 'in' || Operator === 'notin' ? `(${Values.join(', ')})` : Values.join(', ')
  const condition = Operator === '!' ? `!${Key}` : `${Key} ${Operator} ${values}`.trim()
  return `${label ?? `it has no label ${Key}`}, and the job wants ${condition}`
}

function missingCapacity(wanted: Capacity, offered: Capacity): string[] {
  const missing = (name: string, wants: number, there: number, text: (amount: number) => string): string[] =>
    wants > there
      ? [
          `the job wants ${text(wants)}${name}, it has ${text(there)}, which is ${text(wants - there)} too little`,
        ]
      : []
  const number = (amount: number): string => String(Number(amount.toFixed(3)))
  return [
    ...missing(' CPU', wanted.cpu, offered.cpu, number),
    ...missing(' of memory', wanted.memoryBytes, offered.memoryBytes, bytesText),
    ...missing(' of disk', wanted.diskBytes, offered.diskBytes, bytesText),
    ...missing(' GPU', wanted.gpu, offered.gpu, number),
  ]
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
