import {
  COMPUTE_MACHINE,
  COMPUTE_STATES,
  type ComputeExecution,
  type ComputeState,
  type EndReason,
  EXECUTION_STATES,
  type HistoryEntry,
} from '@saltcod/store-core'
import type { JobSpec } from '../spec/job-spec.ts'
import type { ComputeGeneration } from './layout.ts'
import { orLeftOut, type Tell, type TellHere, UnreadableRecord } from './note.ts'
import { readDefinition } from './read-definition.ts'
import { publishedOf, resourcesOf, runOutputOf } from './read-execution.ts'
import { tellerOf } from './read-job.ts'
import { isObject, parseObject, RecordFields } from './record-fields.ts'
import { requireOwnPlace, type StoredValue } from './stored-job.ts'

/** An execution of a compute node with its history, as the texts that stand in a file. */
export interface StoredComputeExecution {
  readonly id: string
  readonly json: string
  readonly history: readonly StoredValue[]
}

/** An execution of a compute node with its history. */
export interface WholeComputeExecution {
  readonly execution: ComputeExecution<JobSpec>
  /** Oldest first. */
  readonly history: readonly HistoryEntry[]
}

/** States of a compute node up to v1.5.1, by their numbers (pkg/compute/store/state.go). */
const LOCAL_STATES: readonly ComputeState[] = COMPUTE_STATES.filter(
  (state) => state !== 'WaitingVerification' && state !== 'ResultAccepted',
)

/** What the states of both sides are on a compute node, which answers a question with the state Created. */
const OF_SHARED: ReadonlyMap<string, readonly [ComputeState, EndReason | null]> = new Map([
  ['New', ['Created', null]],
  ['AskForBid', ['Created', null]],
  ['AskForBidAccepted', ['Created', null]],
  ['AskForBidRejected', ['Failed', 'refused']],
  ['BidAccepted', ['BidAccepted', null]],
  ['Running', ['Running', null]],
  ['Publishing', ['Publishing', null]],
  ['BidRejected', ['Cancelled', 'stopped']],
  ['Completed', ['Completed', null]],
  ['Failed', ['Failed', null]],
  ['Cancelled', ['Cancelled', null]],
])

/**
 * Reads an execution of a compute node, as it stands: it may be in progress. What cannot be read, and what has no
 * place in our model, is told of; `null` where nothing is left of it.
 */
export function readComputeExecution(
  stored: StoredComputeExecution,
  generation: ComputeGeneration,
  tell: Tell,
): WholeComputeExecution | null {
  const here = tellerOf(tell, 'execution', stored.id, `${generation.executions}/${stored.id}`)
  const execution = orLeftOut(() => readOne(stored, generation, here), here)
  if (execution === undefined) return null
  const entries = stored.history.flatMap((value) => {
    const place = `${generation.history}/${stored.id}/${value.key}`
    const tellEntry = tellerOf(tell, 'history', stored.id, place)
    const entry = orLeftOut(() => readEntry(value, generation, tellEntry), tellEntry)
    return entry === undefined ? [] : [entry]
  })
  entries.sort((a, b) => a.revision - b.revision || a.atMs - b.atMs)
  return { execution, history: follow(entries, execution) }
}

function readOne(
  stored: StoredComputeExecution,
  { states }: ComputeGeneration,
  tell: TellHere,
): ComputeExecution<JobSpec> {
  const record = parseObject(stored.json)
  const outer = new RecordFields(record, '', tell)
  const isLocal = states === 'local'
  const fields = isLocal ? outer.inner('Execution') : outer
  requireOwnPlace('ID', fields.requiredText('ID'), stored.id)
  const job = fields.raw('Job')
  if (!isObject(job)) throw new UnreadableRecord('wrong-type', 'it holds no job')
  const jobFields = new RecordFields(job, 'Job', tell)
  const jobId = jobFields.requiredText('ID')
  const definition = readDefinition(job, jobId, tell)
  const [state, endReason] = computeStateOf(outer, states)
  for (const part of ['ComputeState', 'DesiredState']) fields.inner(part).tellNotKept(['Details'])
  const createdAtMs = (isLocal ? outer.time('CreateTime') : fields.nanoseconds('CreateTime')) ?? 0
  const modifiedAtMs = (isLocal ? outer.time('UpdateTime') : fields.nanoseconds('ModifyTime')) ?? createdAtMs
  const revision = Math.max(
    1,
    isLocal ? outer.count('Version') || outer.count('Revision') : fields.count('Revision'),
  )
  const hasEnded = COMPUTE_MACHINE.terminal.has(state)
  const isInShares = !isLocal && (definition.type === 'batch' || definition.type === 'service')
  const results = isLocal && outer.has('RunOutput') ? outer : fields
  return {
    id: stored.id,
    job: {
      id: jobId,
      version: Math.max(1, jobFields.count('Version')),
      namespace: definition.namespace,
      name: definition.name,
      type: definition.type,
      priority: definition.priority,
      count: definition.count,
      spec: definition.spec,
    },
    requesterId:
      (isLocal ? outer.text('RequesterNodeID') : definition.spec.Meta['bacalhau.org/orchestrator.id']) ||
      'unknown',
    partition: isInShares ? fields.count('PartitionIndex') : null,
    state,
    stateMessage: isLocal ? outer.text('LatestComment') : fields.inner('ComputeState').text('Message'),
    stateSinceMs: modifiedAtMs,
    endReason,
    attempt: state === 'Created' || state === 'BidAccepted' ? 0 : 1,
    rerunnable: false,
    process: null,
    resources: resourcesOf(fields.inner('AllocatedResources'), tell),
    publishedResult: publishedOf(results.json('PublishedResult')),
    runOutput: runOutputOf(results),
    acknowledgedRevision: 0,
    revision,
    createdAtMs,
    modifiedAtMs,
    finishedAtMs: hasEnded ? modifiedAtMs : null,
    deadlineAtMs: null,
  }
}

/** Reads the state of an execution of a compute node. Throws `UnreadableRecord` where it is none. */
export function computeStateOf(
  record: RecordFields,
  states: ComputeGeneration['states'],
): readonly [ComputeState, EndReason | null] {
  return states === 'local'
    ? localState(record.raw('State'))
    : sharedState(record.inner('ComputeState').raw('StateType'))
}

function localState(value: unknown): readonly [ComputeState, EndReason | null] {
  const state = typeof value === 'number' ? LOCAL_STATES[value - 1] : undefined
  if (state !== undefined) return [state, null]
  throw new UnreadableRecord(
    'unknown-state',
    `its state ${JSON.stringify(value) ?? 'nothing'} is none of a compute node`,
  )
}

function sharedState(value: unknown): readonly [ComputeState, EndReason | null] {
  const state = typeof value === 'number' ? EXECUTION_STATES[value - 1] : undefined
  const found = state === undefined ? undefined : OF_SHARED.get(state)
  if (found !== undefined) return found
  throw new UnreadableRecord(
    'unknown-state',
    `its state ${JSON.stringify(value) ?? 'nothing'} is none of an execution`,
  )
}

interface ReadEntry {
  readonly atMs: number
  /** `null` where the entry names no state. */
  readonly state: ComputeState | null
  readonly revision: number
  readonly message: string
  readonly topic: string
  readonly details: Record<string, string>
}

function readEntry({ json }: StoredValue, { states }: ComputeGeneration, tell: TellHere): ReadEntry {
  const fields = new RecordFields(parseObject(json), '', tell)
  const atMs = fields.time(states === 'local' ? 'Time' : 'Timestamp')
  if (atMs === null) throw new UnreadableRecord('wrong-type', 'it has no time')
  if (states === 'local') {
    return {
      atMs,
      state: localState(fields.raw('NewState'))[0],
      revision: fields.count('NewVersion') || fields.count('NewRevision'),
      message: fields.text('Comment'),
      topic: '',
      details: {},
    }
  }
  // An event tells what was said, and not in which state.
  const details = fields.texts('Details')
  return {
    atMs,
    state: null,
    revision: 0,
    message: fields.text('Message'),
    topic: fields.text('Topic'),
    details,
  }
}

function follow(entries: readonly ReadEntry[], execution: ComputeExecution): HistoryEntry[] {
  let before: { readonly state: ComputeState; readonly revision: number } | null = null
  return entries.map((entry, index): HistoryEntry => {
    const isLast = index === entries.length - 1
    const earlier: { readonly state: ComputeState; readonly revision: number } | null = before
    const state = isLast ? execution.state : (entry.state ?? earlier?.state ?? 'Created')
    const counted = entry.revision > 0 ? entry.revision : (earlier?.revision ?? 0) + 1
    const revision = isLast
      ? execution.revision
      : Math.max(earlier?.revision ?? 1, Math.min(counted, execution.revision))
    before = { state, revision }
    const follows =
      earlier === null ? revision === 1 : [earlier.revision, earlier.revision + 1].includes(revision)
    const legal =
      earlier === null || earlier.state === state || COMPUTE_MACHINE.edges[earlier.state].includes(state)
    return {
      sequence: index + 1,
      level: 'execution',
      jobId: execution.job.id,
      jobVersion: execution.job.version,
      executionId: execution.id,
      nodeId: null,
      previousState: earlier?.state ?? null,
      newState: state,
      revision,
      event: { message: entry.message, topic: entry.topic, details: entry.details },
      atMs: entry.atMs,
      ...(follows && legal ? {} : { afterGap: true }),
    }
  })
}
