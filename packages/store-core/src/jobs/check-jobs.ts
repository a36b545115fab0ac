import { checkExecutionState } from '../check/check-execution-state.ts'
import { checkOwner } from '../check/check-owner.ts'
import {
  type CheckedRecord,
  type CheckedStore,
  type CheckPlan,
  checkStore,
  type ExpectedIndex,
} from '../check/check-store.ts'
import type { Findings } from '../check/findings.ts'
import { HistoryRules } from '../check/history-rules.ts'
import type { KvRow, KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeIdTuple, decodeTuple, endOfTuple, idTuple } from '../kv/tuple.ts'
import type { CheckOptions, CheckReport } from '../model/check-report.ts'
import type { RecordKind } from '../model/feed.ts'
import { NODE_MEMBERSHIPS, NODE_SCHEDULINGS } from '../model/node.ts'
import { historyTable, toHistoryEntry } from '../rows/history.ts'
import { reclaimTable } from '../rows/reclaim.ts'
import { INDEX } from '../rows/tables.ts'
import { EXECUTION_MACHINE } from '../states/execution-state.ts'
import { JOB_MACHINE } from '../states/job-state.ts'
import type { StateMachine } from '../states/transitions.ts'
import {
  type EvaluationRow,
  endedKey,
  evaluationOfJobKey,
  evaluationTable,
  headKey,
  leasedKey,
  parkedDueKey,
  parkedLaterKey,
  readyKey,
  sideKeys,
  waitingKey,
} from './evaluation-row.ts'
import { executionRows, executionTable, isReclaimed, readRecordState } from './execution-row.ts'
import {
  hasEnded,
  type JobRow,
  jobIndexRows,
  jobKey,
  jobTable,
  type SpecRow,
  specKey,
  specTable,
} from './job-row.ts'
import { nodeIndexRows, nodeKey, nodeTable } from './node-row.ts'
import { isStranded } from './stranded-job.ts'

/** Checks every rule of a job store. */
export async function checkJobStore(store: CheckedStore, options: CheckOptions): Promise<CheckReport> {
  return await checkStore(store, planOfJobs(), options)
}

function planOfJobs(): CheckPlan {
  const rules = new HistoryRules(readRecordState)
  return {
    records: [
      { table: 'jobs', kind: 'job' },
      { table: 'executions', kind: 'execution' },
      { table: 'evaluations', kind: 'evaluation' },
      { table: 'nodes', kind: 'node' },
    ],
    keyOf,
    ownerOf,
    record: (kind, row, snapshot, findings) => {
      if (kind === 'job') return checkedJob(row, snapshot, findings)
      if (kind === 'execution') return checkedExecution(row, snapshot, findings)
      if (kind === 'node') return checkedNode(row, findings)
      return checkedEvaluation(row, snapshot, findings)
    },
    tables: [
      { table: 'specs', visit: visitSpec },
      {
        table: 'history',
        visit: (row, snapshot, findings) => visitHistory(row, snapshot, findings, rules),
        end: (snapshot, findings) => rules.end(snapshot, findings),
      },
      { table: 'reclaim', visit: ({ key, value }) => void reclaimTable.decode(key, value) },
    ],
  }
}

function keyOf(kind: RecordKind, id: string): Uint8Array {
  if (kind === 'job') return jobKey(id)
  if (kind === 'node') return nodeKey(id)
  return idTuple(kind === 'execution' ? 'e' : 'v', id)
}

const INDEX_OWNERS: Readonly<Record<number, RecordKind>> = {
  [INDEX.jobByCreation]: 'job',
  [INDEX.jobByState]: 'job',
  [INDEX.jobByNamespace]: 'job',
  [INDEX.jobByLabel]: 'job',
  [INDEX.jobInProgress]: 'job',
  [INDEX.jobFinished]: 'job',
  [INDEX.executionByJob]: 'execution',
  [INDEX.executionByNode]: 'execution',
  [INDEX.executionByState]: 'execution',
  [INDEX.evaluationByJob]: 'evaluation',
  [INDEX.evaluationLeased]: 'evaluation',
  [INDEX.evaluationEnded]: 'evaluation',
  [INDEX.evaluationSuspect]: 'evaluation',
  [INDEX.nodeByMembership]: 'node',
}

const ID_PREFIXES: Readonly<Record<RecordKind, string>> = {
  job: 'j',
  execution: 'e',
  evaluation: 'v',
  node: 'n',
}

const VALUE_OWNERS: Readonly<Record<number, RecordKind>> = {
  [INDEX.jobByName]: 'job',
  [INDEX.jobBySubmitKey]: 'job',
  [INDEX.evaluationReady]: 'evaluation',
  [INDEX.evaluationWaiting]: 'evaluation',
  [INDEX.evaluationHead]: 'evaluation',
  [INDEX.evaluationParked]: 'evaluation',
}

function ownerOf({ key, value }: KvRow): { kind: RecordKind | 'request' | 'folded'; id: string } | null {
  const parts = decodeTuple(key)
  const index = Number(parts[0])
  if (index === INDEX.requestByTime) return { kind: 'request', id: String(parts[2]) }
  if (index === INDEX.executionFolded) return { kind: 'folded', id: decodeId('e', parts[1]) }
  if (index === INDEX.deadline) {
    const kind = parts[2] === 'job' ? 'job' : 'execution'
    return { kind, id: decodeId(kind === 'job' ? 'j' : 'e', parts[3]) }
  }
  const byValue = VALUE_OWNERS[index]
  if (byValue !== undefined) return { kind: byValue, id: decodeIdTuple(byValue === 'job' ? 'j' : 'v', value) }
  const byKey = INDEX_OWNERS[index]
  if (byKey === undefined) return null
  const prefix = ID_PREFIXES[byKey]
  return { kind: byKey, id: decodeId(prefix, parts.at(-1)) }
}

function checkedJob({ key, value }: KvRow, snapshot: KvSnapshot, findings: Findings): CheckedRecord {
  const row = jobTable.decode(key, value)
  const id = decodeId('j', decodeTuple(key)[0])
  const specs = specsOf(key, row, id, snapshot, findings)
  if (!JOB_MACHINE.states.includes(row.state)) {
    findings.add('state-unknown', 'jobs', key, id, `job ${id} is in the unknown state ${String(row.state)}`)
  }
  if (hasEnded(row) !== (row.finishedAtMs !== undefined)) {
    findings.add(
      'finish-time-wrong',
      'jobs',
      key,
      id,
      `job ${id} is ${row.state} and its end is ${row.finishedAtMs ?? 'not set'}`,
    )
  }
  if (!hasEnded(row) && isStranded(snapshot, id)) findings.addStranded(id)
  const newest = specs.at(-1)
  return {
    kind: 'job',
    id,
    namespace: row.namespace,
    state: row.state,
    bytes: value.length + row.specBytes,
    indexes: jobIndexRows({ id, key, row }, newest),
    counted: true,
  }
}

function specsOf(
  key: Uint8Array,
  row: JobRow,
  id: string,
  snapshot: KvSnapshot,
  findings: Findings,
): SpecRow[] {
  const specs: SpecRow[] = []
  let bytes = 0
  for (let version = 1; version <= row.version; version++) {
    const found = specTable.load(snapshot, specKey(key, version))
    if (found === undefined) {
      findings.add(
        'spec-missing',
        'specs',
        specKey(key, version),
        id,
        `version ${version} of job ${id} is missing`,
      )
      // To the next one that is there: of a row with a wrong version any number may be missing.
      version = nextVersion(key, version, snapshot) - 1
      continue
    }
    specs.push(found.record)
    bytes += found.bytes
  }
  if (bytes !== row.specBytes) {
    findings.add(
      'spec-bytes-wrong',
      'jobs',
      key,
      id,
      `job ${id} says ${row.specBytes} bytes of versions, there are ${bytes}`,
    )
  }
  return specs
}

/** Returns the next version of a job that is there; infinity where there is none. */
function nextVersion(key: Uint8Array, after: number, snapshot: KvSnapshot): number {
  const bounds = { gt: specKey(key, after), lt: endOfTuple(key), limit: 1 }
  const [next] = snapshot.keys('specs', bounds)
  return next === undefined ? Number.POSITIVE_INFINITY : Number(decodeTuple(next).at(-1))
}

function checkedExecution({ key, value }: KvRow, snapshot: KvSnapshot, findings: Findings): CheckedRecord {
  const row = executionTable.decode(key, value)
  const id = decodeId('e', decodeTuple(key)[0])
  const counted = !isReclaimed(snapshot, row)
  if (counted && snapshot.get('jobs', jobKey(row.jobId)) === undefined) {
    findings.add(
      'orphan',
      'executions',
      key,
      id,
      `execution ${id} belongs to job ${row.jobId}, which is not there`,
    )
  }
  checkExecutionState(findings, EXECUTION_MACHINE, key, id, row)
  return {
    kind: 'execution',
    id,
    namespace: row.namespace,
    state: row.state,
    bytes: value.length,
    indexes: executionRows.indexRows({ id, key, row }),
    counted,
  }
}

function checkedEvaluation({ key, value }: KvRow, snapshot: KvSnapshot, findings: Findings): CheckedRecord {
  const row = evaluationTable.decode(key, value)
  const id = decodeId('v', decodeTuple(key)[0])
  const counted = !isReclaimed(snapshot, row)
  if (counted && snapshot.get('jobs', jobKey(row.jobId)) === undefined) {
    findings.add(
      'orphan',
      'evaluations',
      key,
      id,
      `evaluation ${id} belongs to job ${row.jobId}, which is not there`,
    )
  }
  return {
    kind: 'evaluation',
    id,
    namespace: row.namespace,
    state: row.status,
    bytes: value.length,
    indexes: evaluationIndexes(id, key, row, snapshot),
    counted,
  }
}

function checkedNode({ key, value }: KvRow, findings: Findings): CheckedRecord {
  const row = nodeTable.decode(key, value)
  const id = decodeId('n', decodeTuple(key)[0])
  if (!NODE_MEMBERSHIPS.includes(row.membership) || !NODE_SCHEDULINGS.includes(row.scheduling)) {
    const state = `${String(row.membership)}, ${String(row.scheduling)}`
    findings.add('state-unknown', 'nodes', key, id, `node ${id} is in the unknown state ${state}`)
  }
  return {
    kind: 'node',
    id,
    namespace: '',
    state: row.membership,
    bytes: value.length,
    indexes: nodeIndexRows(key, row),
    counted: true,
  }
}

function evaluationIndexes(
  id: string,
  key: Uint8Array,
  row: EvaluationRow,
  snapshot: KvSnapshot,
): ExpectedIndex[] {
  const indexes: ExpectedIndex[] = [{ key: evaluationOfJobKey({ key, row }) }]
  indexes.push(...sideKeys({ key, row }).map((side) => ({ key: side })))
  if (row.status !== 'pending') return [...indexes, { key: endedKey({ key, row }) }]
  const head = snapshot.get('index', headKey(row.jobId))
  const isHead = head !== undefined && decodeIdTuple('v', head) === id
  if (!isHead && row.lease === undefined) {
    if (snapshot.get('index', waitingKey(row)) === undefined)
      return [...indexes, { key: parkedDueKey(row), value: key }]
    return [...indexes, { key: parkedLaterKey(row), value: key }, { key: waitingKey(row), value: key }]
  }
  indexes.push({ key: headKey(row.jobId), value: key })
  if (row.lease !== undefined) return [...indexes, { key: leasedKey({ key }, row.lease.expiresSteadyMs) }]
  return [...indexes, { key: readyKey(row), value: key }]
}

function visitSpec({ key, value }: KvRow, snapshot: KvSnapshot, findings: Findings): void {
  specTable.decode(key, value)
  checkOwner('job', 'specs', key, snapshot, findings)
}

function visitHistory(row: KvRow, snapshot: KvSnapshot, findings: Findings, rules: HistoryRules): void {
  const { key, value } = row
  const decoded = historyTable.decode(key, value)
  const owner = checkOwner('job', 'history', key, snapshot, findings)
  if (owner === null) return
  const jobId = owner.id
  const entry = toHistoryEntry({ jobId }, key, decoded)
  const subject = entry.executionId ?? jobId
  const machine: StateMachine<string> = entry.executionId === null ? JOB_MACHINE : EXECUTION_MACHINE
  const step = { row, entry, subject, afterLoss: decoded.isLoss === true }
  rules.visit(step, owner.key, machine, snapshot, findings)
}
