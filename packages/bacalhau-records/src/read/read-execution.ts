import { EXECUTION_MACHINE, type Execution, type Json } from '@saltcod/store-core'
import { type TellHere, UnreadableRecord } from './note.ts'
import { desiredStateOfNumber, type NumberingFacts, numberingOf, stateOfNumber } from './numbering.ts'
import { parseObject, RecordFields } from './record-fields.ts'
import { requireOwnPlace, type StoredValue } from './stored-job.ts'

const EXECUTION_FIELDS = new Set([
  ...['ID', 'Namespace', 'EvalID', 'Name', 'NodeID', 'JobID', 'Job', 'JobVersion', 'AllocatedResources'],
  ...['DesiredState', 'ComputeState', 'PublishedResult', 'RunOutput', 'PreviousExecution', 'NextExecution'],
  ...['FollowupEvalID', 'PartitionIndex', 'Revision', 'CreateTime', 'ModifyTime'],
])

/** What an execution takes from its job. */
export interface ExecutionJob {
  readonly id: string
  readonly namespace: string
  readonly version: number
  /** By how much versions here are ahead of those in the file. */
  readonly versionShift: number
  /** Whether it is in shares that are numbered. */
  readonly isInShares: boolean
}

/** Reads an execution of a requester. Throws `UnreadableRecord`. */
export function readExecution(
  { key, json }: StoredValue,
  job: ExecutionJob,
  facts: Omit<NumberingFacts, 'record'>,
  tell: TellHere,
): Execution {
  const record = parseObject(json)
  const fields = new RecordFields(record, '', tell)
  requireOwnPlace('ID', fields.requiredText('ID'), key)
  requireOwnPlace('JobID', fields.requiredText('JobID'), job.id)
  fields.tellUnknown(EXECUTION_FIELDS)
  fields.tellNotKept(['NextExecution', 'FollowupEvalID'])
  const computeState = fields.inner('ComputeState')
  const state = executionStateOf(computeState.raw('StateType'), { ...facts, record }, tell)
  const createdAtMs = fields.nanoseconds('CreateTime') ?? 0
  const modifiedAtMs = fields.nanoseconds('ModifyTime') ?? createdAtMs
  const desired = fields.inner('DesiredState')
  for (const part of [computeState, desired]) part.tellNotKept(['Details'])
  const hasEnded = EXECUTION_MACHINE.terminal.has(state)
  return {
    id: key,
    jobId: job.id,
    jobVersion: versionOf(fields.count('JobVersion'), job),
    namespace: namespaceOf(fields, job, tell),
    nodeId: fields.requiredText('NodeID'),
    evaluationId: fields.text('EvalID') || null,
    partition: job.isInShares ? fields.count('PartitionIndex') : null,
    state,
    stateMessage: computeState.text('Message'),
    stateSinceMs: modifiedAtMs,
    endReason: null,
    desiredState: desiredStateOfNumber(desired.count('StateType')) ?? 'Pending',
    desiredMessage: desired.text('Message'),
    previousExecutionId: fields.text('PreviousExecution') || null,
    endsBefore: 0,
    resources: resourcesOf(fields.inner('AllocatedResources'), tell),
    publishedResult: publishedOf(fields.json('PublishedResult')),
    runOutput: runOutputOf(fields),
    computeRevision: 0,
    revision: Math.max(1, fields.count('Revision')),
    createdAtMs,
    modifiedAtMs,
    finishedAtMs: hasEnded ? modifiedAtMs : null,
    deadlineAtMs: null,
  }
}

/** An execution is in the namespace of its job. */
function namespaceOf(fields: RecordFields, { namespace }: ExecutionJob, tell: TellHere): string {
  const written = fields.text('Namespace')
  if (written !== '' && written !== namespace)
    tell(
      'changed',
      'unfit-text',
      `its namespace ${JSON.stringify(written)} is not ${JSON.stringify(namespace)} of its job, and becomes that`,
    )
  return namespace
}

/** Reads the number of a state. Throws `UnreadableRecord` where it means none. */
export function executionStateOf(value: unknown, facts: NumberingFacts, tell: TellHere): Execution['state'] {
  const number = typeof value === 'number' ? value : Number.NaN
  const { numbering, sure } = numberingOf(number, facts)
  const state = stateOfNumber(number, numbering)
  if (state === undefined) {
    throw new UnreadableRecord(
      'unknown-state',
      `its state ${JSON.stringify(value) ?? 'nothing'} is none of an execution`,
    )
  }
  if (!sure) {
    tell(
      'derived',
      'state-conclusion',
      `its state ${number} is read as ${state}; up to v1.5.1 it meant ${stateOfNumber(number, 'earlier')}`,
    )
  }
  return state
}

/** Bacalhau counts versions since v1.8; here they count from 1. */
export function versionOf(
  stored: number,
  { version, versionShift }: Pick<ExecutionJob, 'version' | 'versionShift'>,
): number {
  return Math.min(version, Math.max(1, stored + versionShift))
}

/** Reads amounts of the one task; `null` where there are none. */
export function resourcesOf(allocated: RecordFields, tell: TellHere): Json {
  const tasks = allocated.json('Tasks')
  const [first, ...others] = typeof tasks === 'object' && tasks !== null ? Object.entries(tasks) : []
  if (first === undefined) return null
  if (others.length > 0)
    tell('dropped', 'field-not-kept', 'the resources of further tasks have no place here and are left out')
  const amounts = new RecordFields(first[1], `AllocatedResources.Tasks.${first[0]}`, tell)
  amounts.tellNotKept(['GPUs'])
  const amount = (name: string): number => {
    const value = amounts.raw(name)
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0
  }
  return { cpu: amount('CPU'), memoryBytes: amount('Memory'), diskBytes: amount('Disk'), gpu: amount('GPU') }
}

/** Reads where results are; `null` where nowhere. */
export function publishedOf(result: Json): Json {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return null
  return (result as { readonly Type?: Json }).Type ? result : null
}

/** Reads what a run left; `null` where there was none. */
export function runOutputOf(fields: RecordFields): Json {
  if (!fields.has('RunOutput')) return null
  const output = fields.inner('RunOutput')
  const exitCode = output.raw('ExitCode')
  return {
    stdout: output.text('Stdout'),
    stdoutTruncated: output.raw('StdoutTruncated') === true,
    stderr: output.text('stderr'),
    stderrTruncated: output.raw('StderrTruncated') === true,
    exitCode: typeof exitCode === 'number' ? Math.trunc(exitCode) : -1,
    errorMessage: output.text('ErrorMsg'),
  }
}
