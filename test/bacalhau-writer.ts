import { type BucketToWrite, boltBytes } from './bolt-writer.ts'

/** Writes the stores of a node of Bacalhau for tests: v1.9 where nothing else is said. */

/** A record as JSON, or the text that stands in its place. */
export type RecordToWrite = Readonly<Record<string, unknown>> | string

/** A job with all that stands in its bucket, by the keys. */
export interface JobToWrite {
  readonly spec?: RecordToWrite
  readonly versions?: Readonly<Record<string, RecordToWrite>>
  readonly executions?: Readonly<Record<string, RecordToWrite>>
  readonly evaluations?: Readonly<Record<string, RecordToWrite>>
  readonly history?: readonly RecordToWrite[]
  readonly job_history?: readonly RecordToWrite[]
  readonly execution_history?: readonly RecordToWrite[]
}

/** When the jobs of these tests were submitted, in nanoseconds since 1970: a number that JSON holds exactly. */
export const WRITTEN_AT: number = 1_700_000_000_000_000_000

/** The time as a text, so many milliseconds later. */
function writtenTime(laterMs = 0): string {
  return new Date(WRITTEN_AT / 1_000_000 + laterMs).toISOString()
}

/** Returns a completed batch job, with some fields changed. */
export function jobRecord(
  id: string,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    ID: id,
    Name: id,
    Namespace: 'default',
    Type: 'batch',
    Priority: 0,
    Count: 1,
    Constraints: [],
    Meta: { 'bacalhau.org/orchestrator.id': 'porto', 'bacalhau.org/requester.id': 'porto' },
    Labels: { project: 'salt' },
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'wasm', Params: { EntryModule: '/m.wasm', Entrypoint: '_start' } },
        Publisher: { Type: '' },
        Resources: { CPU: '500m', Memory: '512mb' },
        Network: { Type: 'Default' },
        Timeouts: {},
      },
    ],
    State: { StateType: 'Completed' },
    Version: 1,
    Revision: 3,
    CreateTime: WRITTEN_AT,
    ModifyTime: WRITTEN_AT + 2_000_000_000,
    ...changes,
  }
}

/** Returns a completed execution of a requester, with some fields changed. */
export function executionRecord(
  id: string,
  jobId: string,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    ID: id,
    Namespace: 'default',
    EvalID: 'v-1',
    Name: '',
    NodeID: 'porto',
    JobID: jobId,
    JobVersion: 1,
    AllocatedResources: { Tasks: { main: { CPU: 0.5, Memory: 512_000_000 } } },
    DesiredState: { StateType: 2, Message: 'execution completed' },
    ComputeState: { StateType: 9, Message: '' },
    PublishedResult: { Type: '' },
    RunOutput: { Stdout: 'hello\n', stderr: '', ExitCode: 0, ErrorMsg: '' },
    Revision: 4,
    CreateTime: WRITTEN_AT,
    ModifyTime: WRITTEN_AT + 2_000_000_000,
    ...changes,
  }
}

/** Returns an entry of the history of a job, or of its execution. */
export function historyRecord(
  jobId: string,
  message: string,
  { executionId, laterMs = 0 }: { readonly executionId?: string; readonly laterMs?: number } = {},
): Record<string, unknown> {
  return {
    Type: executionId === undefined ? 'JobLevel' : 'ExecutionLevel',
    JobID: jobId,
    JobVersion: 1,
    ...(executionId === undefined ? {} : { ExecutionID: executionId }),
    Event: { Message: message, Topic: 'State Update', Timestamp: writtenTime(laterMs) },
    Time: writtenTime(laterMs),
  }
}

/** Returns a job with one execution and its history, all of it completed. */
export function completedJob(id: string, changes: Readonly<Record<string, unknown>> = {}): JobToWrite {
  const executionId = `e-${id.replace(/^j-/, '').slice(0, 100)}`
  return {
    spec: jobRecord(id, changes),
    versions: { '\0\0\0\0\0\0\0\u0001': jobRecord(id, changes) },
    executions: { [executionId]: executionRecord(executionId, id) },
    history: [
      historyRecord(id, 'Job submitted'),
      historyRecord(id, 'Requested execution on porto', { executionId, laterMs: 10 }),
      historyRecord(id, 'Completed successfully', { executionId, laterMs: 2_000 }),
    ],
  }
}

/** Returns the bytes of a job store of v1.8 and later; with `earlier` of v1.1 to v1.4. */
export function jobStoreBytes(
  jobs: Readonly<Record<string, JobToWrite>>,
  { earlier = false, transaction = 2n }: { readonly earlier?: boolean; readonly transaction?: bigint } = {},
): Buffer {
  const later = earlier ? [] : ['idx_job_names', 'v1_events', 'v1_checkpoints']
  const others = ['idx_namespaces', 'idx_tags', 'idx_inprogress', 'idx_executions', ...later]
  const rows = {
    jobs: { rows: Object.fromEntries(Object.entries(jobs).map(([id, job]) => [id, jobBucket(job)])) },
    ...Object.fromEntries(others.map((name) => [name, { rows: {} }])),
  }
  return boltBytes(rows, { transaction })
}

/** Returns the bytes of an execution store: executions and their histories, in the buckets of a release. */
export function executionStoreBytes(
  executions: Readonly<Record<string, RecordToWrite>>,
  histories: Readonly<Record<string, readonly RecordToWrite[]>> = {},
  [own, ofHistory]: readonly [string, string] = ['v2_executions', 'v2_execution_events'],
): Buffer {
  return boltBytes({
    [own]: { rows: texts(executions) },
    [ofHistory]: {
      rows: Object.fromEntries(Object.entries(histories).map(([id, entries]) => [id, numbered(entries)])),
    },
  })
}

function jobBucket({ spec, versions, executions, evaluations, ...histories }: JobToWrite): BucketToWrite {
  const named = { versions, executions, evaluations }
  return {
    rows: {
      ...(spec === undefined ? {} : { spec: textOf(spec) }),
      ...Object.fromEntries(
        Object.entries(named).flatMap(([name, records]) =>
          records === undefined ? [] : [[name, { rows: texts(records) }]],
        ),
      ),
      ...Object.fromEntries(
        Object.entries(histories).flatMap(([name, entries]) =>
          entries === undefined ? [] : [[name, numbered(entries)]],
        ),
      ),
    },
  }
}

function numbered(entries: readonly RecordToWrite[]): BucketToWrite {
  const rows = entries.map((entry, index): [string, string] => [
    String(index + 1).padStart(16, '0'),
    textOf(entry),
  ])
  return { rows: Object.fromEntries(rows) }
}

function texts(records: Readonly<Record<string, RecordToWrite>>): Record<string, string> {
  return Object.fromEntries(Object.entries(records).map(([key, record]) => [key, textOf(record)]))
}

function textOf(record: RecordToWrite): string {
  return typeof record === 'string' ? record : JSON.stringify(record)
}
