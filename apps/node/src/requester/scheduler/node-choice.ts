import type { Constraint } from '@saltcod/bacalhau-records'
import { bytesText } from '@saltcod/cli-kit'
import type { LabelRequirement } from '@saltcod/store-core'
import { labelsMatch } from '@saltcod/store-core'
import { lackingIn } from '../../capacity-ledger.ts'
import { engineKind } from '../../engines/kinds.ts'
import type { Capacity, NodeDescription } from '../../link/link.ts'
import type { JobNeeds } from './needs.ts'
import type { NodeClosing, SchedulableNode } from './view.ts'

/** Which nodes can do a job, and why each of the others cannot, with all that is in the way. */
export interface Suitability {
  /** Those that can do it and take new work, whatever they are doing now. */
  readonly suitable: readonly SchedulableNode[]
  /** Those that could do it, but take no new work. */
  readonly closed: readonly SchedulableNode[]
  /** Why each of the others does not do it, and each closed one; not of those that are lost. */
  readonly reasons: ReadonlyMap<string, string>
  /** How many nodes are connected and were not rejected, whatever they can do. */
  readonly connected: number
}

const CLOSINGS: Readonly<Record<NodeClosing, string>> = {
  silent: 'it is not connected',
  lost: 'it has not been heard of for too long',
  drained: 'it is drained',
  pending: 'it is not approved yet',
  rejected: 'it was rejected',
}

/** So many kinds of needs are remembered with a list of nodes. */
const MOST_REMEMBERED = 256

const remembered = new WeakMap<readonly SchedulableNode[], Map<string, Suitability>>()

/** Sorts nodes by whether they can do a job at all, whatever they are doing now. */
export function suitableNodes(needs: JobNeeds, nodes: readonly SchedulableNode[]): Suitability {
  let known = remembered.get(nodes)
  if (known === undefined || known.size > MOST_REMEMBERED) {
    known = new Map()
    remembered.set(nodes, known)
  }
  const found = known.get(needs.key) ?? sortNodes(needs, nodes)
  known.set(needs.key, found)
  return found
}

function sortNodes(needs: JobNeeds, nodes: readonly SchedulableNode[]): Suitability {
  const suitable: SchedulableNode[] = []
  const closed: SchedulableNode[] = []
  const reasons = new Map<string, string>()
  let connected = 0
  for (const node of nodes) {
    const { closing, description } = node
    if (isConnected(node)) connected += 1
    const obstacles = obstaclesOf(needs, description)
    if (obstacles.length > 0) {
      if (closing !== 'lost') reasons.set(description.nodeId, obstacles.join('; '))
    } else if (closing === null) suitable.push(node)
    else {
      closed.push(node)
      if (closing !== 'lost') reasons.set(description.nodeId, CLOSINGS[closing])
    }
  }
  return { suitable, closed, reasons, connected }
}

/** Tells whether a node is there and may take work, now or once an operator lets it. */
export function isConnected({ closing }: Pick<SchedulableNode, 'closing'>): boolean {
  return closing === null || closing === 'drained' || closing === 'pending'
}

/** Tells whether a node can do something at all, whatever it is doing now. */
export function canDo(needs: JobNeeds, description: NodeDescription): boolean {
  return obstaclesOf(needs, description).length === 0
}

function obstaclesOf(needs: JobNeeds, description: NodeDescription): string[] {
  const { engines, missingEngines = {}, publishers, inputSources, labels, capacity } = description
  const found: string[] = []
  if (!has(engines, needs.engine)) {
    const type = engineKind(needs.engine)?.type ?? needs.engine
    const reason = Object.hasOwn(missingEngines, type) ? missingEngines[type] : undefined
    const lacks = `it has no engine ${needs.engine} (it has ${list(engines)})`
    found.push(reason === undefined ? lacks : `${lacks}: ${reason}`)
  }
  if (needs.publisher !== '' && !has(publishers, needs.publisher))
    found.push(`it has no publisher ${needs.publisher} (it has ${list(publishers)})`)
  for (const type of needs.inputs) {
    if (!has(inputSources, type))
      found.push(`it cannot read inputs of type ${type} (it reads ${list(inputSources)})`)
  }
  for (const constraint of needs.constraints) {
    if (!labelsMatch(labels, [toLabelRequirement(constraint)])) found.push(unmet(constraint, labels))
  }
  return [...found, ...missingCapacity(needs.capacity, capacity)]
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

const NAMES: Readonly<Record<keyof Capacity, string>> = {
  cpu: ' CPU',
  memoryBytes: ' of memory',
  diskBytes: ' of disk',
  gpu: ' GPU',
}

function missingCapacity(wanted: Capacity, offered: Capacity): string[] {
  return lackingIn(wanted, offered).map((dimension) => {
    const [wants, there] = [wanted[dimension], offered[dimension]]
    const text = (amount: number): string => amountText(dimension, amount)
    return `the job wants ${text(wants)}${NAMES[dimension]}, it has ${text(there)}, which is ${text(wants - there)} too little`
  })
}

function amountText(dimension: keyof Capacity, amount: number): string {
  const isBytes = dimension === 'memoryBytes' || dimension === 'diskBytes'
  return isBytes ? bytesText(amount) : String(Number(amount.toFixed(3)))
}

/** Returns what says why a node that can do a job does not do it now. The same lack gives the same text. */
export function fullTexts({ capacity }: JobNeeds): (node: SchedulableNode) => string {
  const texts = new Map<string, string>()
  const write = (lacking: readonly (keyof Capacity)[]): string => {
    const wants = lacking.map(
      (dimension) => `${amountText(dimension, capacity[dimension])}${NAMES[dimension]}`,
    )
    return `it is full: the job wants ${wants.join(' and ')}, and less is free`
  }
  return ({ free, keptFor }) => {
    const lacking = lackingIn(capacity, free)
    if (lacking.length === 0)
      return keptFor === null ? 'it is full' : 'it is kept free for another job, which has waited longer'
    // Of many nodes most lack the same.
    const key = lacking.join()
    const text = texts.get(key) ?? write(lacking)
    texts.set(key, text)
    return text
  }
}

/** Turns a constraint of a job into a requirement on labels. */
function toLabelRequirement({ Key, Operator, Values }: Constraint): LabelRequirement {
  const operator = Operator === '!' ? '!exists' : Operator === '==' ? '=' : Operator
  return { key: Key, operator, values: Values }
}
