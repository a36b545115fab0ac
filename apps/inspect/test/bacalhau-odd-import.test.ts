import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JobSpec, Note } from '@saltcod/bacalhau-records'
import type { Execution, Job } from '@saltcod/store-core'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  completedJob,
  executionRecord,
  executionStoreBytes,
  historyRecord,
  type JobToWrite,
  jobRecord,
  jobStoreBytes,
  WRITTEN_AT,
} from '../../../test/bacalhau-writer.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { ENGINE_NAMES } from '../../node/src/engines/kinds.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
})
afterAll(async () => await session.close())

interface Imported {
  readonly code: number
  readonly notes: readonly Note[]
  readonly jobs: ReadonlyMap<
    string,
    { readonly job: Job<JobSpec>; readonly executions: readonly Execution[] }
  >
  /** The directory of the files, and the repository that was made of them. */
  readonly places: readonly [string, string]
}

/** Writes files of Bacalhau into a repository, imports them, checks the result and reads it. */
async function importOf(files: Readonly<Record<string, Buffer>>): Promise<Imported> {
  const directory = temporaryDirectory()
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(join(directory, 'source', name, '..'), { recursive: true })
    writeFileSync(join(directory, 'source', name), bytes)
  }
  const to = join(directory, 'repository')
  const { code, stdout, stderr } = await session.run([
    'import',
    join(directory, 'source'),
    '--to',
    to,
    '--apply',
    '--output',
    'json',
  ])
  expect(stderr.replaceAll(/^Note: .*\n/gm, '')).toBe('')
  const report = JSON.parse(stdout) as { readonly nodeId: string; readonly notesFile: string | null }
  expect((await session.run(['check', to])).code).toBe(0)
  const lines = report.notesFile === null ? '' : readFileSync(report.notesFile, 'utf8')
  const notes = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Note)
  const store = await openLmdbJobStore<JobSpec>({
    path: join(to, `${report.nodeId}-requester`, 'jobs.db'),
    readOnly: true,
  })
  const jobs = new Map<string, { readonly job: Job<JobSpec>; readonly executions: readonly Execution[] }>()
  for (const job of (await store.listJobs({ limit: 1_000 })).items) {
    jobs.set(job.id, { job, executions: (await store.listExecutions({ jobId: job.id })).items })
  }
  await store.close()
  return { code, notes, jobs, places: [join(directory, 'source'), to] }
}

function codesOf(notes: readonly Note[], id: string): readonly string[] {
  return [...new Set(notes.filter((note) => note.id === id).map(({ kind, code }) => `${kind} ${code}`))]
    .filter((code) => code !== 'derived history-conclusion')
    .sort()
}

const DEEP = `${'['.repeat(10_000)}${']'.repeat(10_000)}`

/** Odd jobs by their ids; what is said of each, and whether it comes over. */
const ODD: Readonly<Record<string, readonly [JobToWrite, readonly string[], 'here' | 'left out']>> = {
  'j-name': [completedJob('j-name', { Name: 'a\u001b[2J\nb\u0000' }), ['changed unfit-text'], 'here'],
  'j-long-name': [completedJob('j-long-name', { Name: 'é'.repeat(10_000) }), ['changed unfit-text'], 'here'],
  'j-half': [completedJob('j-half', { Name: '\ud800 half' }), ['changed unfit-text'], 'here'],
  'j-labels': [
    completedJob('j-labels', { Labels: { 'a\tb': 'c', good: 'x', ' ': 'y', long: 'z'.repeat(1_000) } }),
    ['dropped unfit-text'],
    'here',
  ],
  'j-many-labels': [
    completedJob('j-many-labels', {
      Labels: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`l${n}`, ''])),
    }),
    ['dropped unfit-number'],
    'here',
  ],
  'j-count': [completedJob('j-count', { Count: 9e15, Priority: -9e15 }), ['changed unfit-number'], 'here'],
  'j-version': [completedJob('j-version', { Version: 9e15 }), ['changed unfit-number'], 'here'],
  'j-half-count': [
    completedJob('j-half-count', { Count: -3, Priority: 1e308 }),
    ['changed unfit-number', 'changed wrong-type'],
    'here',
  ],
  'j-before': [
    completedJob('j-before', { CreateTime: -1, ModifyTime: -5e18 }),
    ['changed wrong-type'],
    'here',
  ],
  'j-future': [completedJob('j-future', { CreateTime: 9.2e18, ModifyTime: 9.2e18 }), [], 'here'],
  'j-beyond': [completedJob('j-beyond', { CreateTime: 1e300 }), ['changed wrong-type'], 'here'],
  'j-words': [
    completedJob('j-words', { CreateTime: 'soon', Version: '1', Revision: {} }),
    ['changed wrong-type'],
    'here',
  ],
  'j-missing': [{ spec: { ID: 'j-missing' } }, ['left-out unknown-word'], 'left out'],
  'j-type': [completedJob('j-type', { Type: 'cron' }), ['left-out unknown-word'], 'left out'],
  'j-state': [
    completedJob('j-state', { State: { StateType: 'Dreaming' } }),
    ['left-out unknown-state'],
    'left out',
  ],
  'j-number': [completedJob('j-number', { State: { StateType: 4 } }), ['left-out unknown-state'], 'left out'],
  'j-no-task': [completedJob('j-no-task', { Tasks: [] }), ['left-out wrong-type'], 'left out'],
  'j-other': [{ spec: jobRecord('j-another') }, ['left-out wrong-place'], 'left out'],
  'j-no-json': [{ spec: '{"ID":"j-no-json"' }, ['left-out no-json'], 'left out'],
  'j-list': [{ spec: '[1,2]' }, ['left-out wrong-type'], 'left out'],
  'j-deep': [
    { spec: JSON.stringify(jobRecord('j-deep')).replace('"Labels":{', `"Odd":${DEEP},"Labels":{`) },
    ['left-out no-json'],
    'left out',
  ],
  'j-deep-spec': [
    {
      spec: JSON.stringify(jobRecord('j-deep-spec')).replace(
        '"EntryModule":"/m.wasm"',
        `"EntryModule":${DEEP}`,
      ),
    },
    ['left-out no-json'],
    'left out',
  ],
  'j-no-spec': [
    {
      executions: { 'e-lone': executionRecord('e-lone', 'j-no-spec') },
      history: [historyRecord('j-no-spec', 'x')],
    },
    ['left-out wrong-type'],
    'left out',
  ],
  'j with spaces': [completedJob('j with spaces'), ['left-out refused'], 'left out'],
  'j:colon/slash': [completedJob('j:colon/slash'), ['left-out refused'], 'left out'],
  '0x6a00': [completedJob('j\u0000'), ['left-out wrong-place'], 'left out'],
  '0f1d2c3b-bare': [completedJob('0f1d2c3b-bare'), [], 'here'],
  ['j'.repeat(128)]: [completedJob('j'.repeat(128)), [], 'here'],
  ['j'.repeat(129)]: [completedJob('j'.repeat(129)), ['left-out refused'], 'left out'],
}

test('odd jobs come over as far as they can, and each that does not is named with its reason', async () => {
  const jobs = Object.fromEntries(
    Object.entries(ODD).map(([id, [job]]) => [id === '0x6a00' ? 'j\u0000' : id, job]),
  )
  const { code, notes, jobs: found } = await importOf({ 'orchestrator/state_boltdb.db': jobStoreBytes(jobs) })
  expect(code).toBe(1)
  for (const [id, [, codes, where]] of Object.entries(ODD)) {
    expect([id, codesOf(notes, id), found.has(id)]).toEqual([id, codes, where === 'here'])
  }
  expect(found.get('j-labels')?.job.labels).toEqual({ good: 'x' })
  expect(found.get('j-name')?.job.name).toBe('a_[2J_b_')
  expect(found.get('j-before')?.job.createdAtMs).toBe(0)
  const lost = notes.find(({ id, kind }) => id === 'j-no-spec' && kind === 'left-out')
  expect(lost?.message).toContain('with 1 executions, 0 evaluations and 1 history entries')
})

test('odd records of a job are named one by one, and the job comes over without them', async () => {
  const id = 'j-1'
  const own = (name: string, changes: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    executionRecord(name, id, changes)
  const job: JobToWrite = {
    ...completedJob(id),
    executions: {
      'e-good': own('e-good', {}),
      'e state': own('e state', {}),
      'e-state': own('e-state', { ComputeState: { StateType: 99 } }),
      'e-no-state': own('e-no-state', { ComputeState: {} }),
      'e-other-job': own('e-other-job', { JobID: 'j-2' }),
      'e-other-id': own('e-good', {}),
      'e-no-node': own('e-no-node', { NodeID: '' }),
      'e-text': 'null',
      'e-large': own('e-large', { RunOutput: { Stdout: 'x'.repeat(9_000_000) } }),
      'e-share': own('e-share', { PartitionIndex: 9e15 }),
      'e-namespace': own('e-namespace', { Namespace: 'of another' }),
    },
    evaluations: {
      'v-good': { ID: 'v-good', TriggeredBy: 'job-register', Status: 'pending', CreateTime: WRITTEN_AT },
      'v-word': { ID: 'v-word', TriggeredBy: 'a whim', Status: 'pending' },
      'v status': { ID: 'v status', TriggeredBy: 'job-register', Status: 'pending' },
    },
    history: [
      historyRecord(id, 'Job submitted'),
      { ...historyRecord(id, 'x'), Time: 'never', Event: {} },
      { ...historyRecord(id, 'x'), Type: 'ExecutionLevel' },
      historyRecord(id, 'of nobody', { executionId: 'e-gone' }),
      historyRecord(id, 'of an odd one', { executionId: 'e state' }),
      'no JSON',
    ],
  }
  const twin: JobToWrite = {
    ...completedJob('j-2'),
    executions: { 'e-good': executionRecord('e-good', 'j-2') },
  }
  const { notes, jobs } = await importOf({
    'orchestrator/state_boltdb.db': jobStoreBytes({ [id]: job, 'j-2': twin }),
  })
  const executions = jobs.get(id)?.executions.map((execution) => [execution.id, execution.namespace])
  expect(executions?.sort()).toEqual([
    ['e-good', 'default'],
    ['e-namespace', 'default'],
  ])
  expect(codesOf(notes, 'e-namespace')).toEqual(['changed unfit-text'])
  expect(jobs.get('j-2')?.executions).toEqual([])
  const left = notes.filter(({ kind }) => kind === 'left-out').map(({ code, place }) => `${code} ${place}`)
  expect(left.sort()).toEqual(
    [
      'no-json jobs/j-1/history/0000000000000006',
      'refused jobs/j-1/evaluations/v status',
      'refused jobs/j-1/executions/e state',
      'refused jobs/j-1/executions/e-large',
      'refused jobs/j-1/executions/e-share',
      'refused jobs/j-1/history/3',
      'second-copy jobs/j-2/executions/e-good',
      'unknown-state jobs/j-1/executions/e-no-state',
      'unknown-state jobs/j-1/executions/e-state',
      'unknown-word jobs/j-1/evaluations/v-word',
      'wrong-place jobs/j-1/executions/e-other-id',
      'wrong-place jobs/j-1/executions/e-other-job',
      'wrong-type jobs/j-1/executions/e-no-node',
      'wrong-type jobs/j-1/executions/e-text',
      'wrong-type jobs/j-1/history/0000000000000002',
      'wrong-type jobs/j-1/history/0000000000000003',
    ].sort(),
  )
})

test('an entry of a history that no store takes is the one difference to an import', async () => {
  const { history = [], ...rest } = completedJob('j-1')
  const odd = historyRecord('j-1', 'Requested execution on porto', { executionId: '%-1', laterMs: 10 })
  const [first, , ...others] = history
  const { places } = await importOf({
    'orchestrator/state_boltdb.db': jobStoreBytes({
      'j-1': { ...rest, history: [first ?? '', odd, ...others] },
    }),
  })
  const { code, stdout } = await session.run(['diff', ...places, '--output', 'json'])
  const differences = JSON.parse(stdout) as { what: string; id: string; reason: string | null }[]
  const unexplained = differences.filter(({ reason }) => reason === null)
  expect(unexplained.map(({ what, id }) => [what, id])).toEqual([['left-out', 'j-1 entry 2']])
  expect(code).toBe(1)
})

test('values of 100 MB are left out, named, and never in memory as more than that', async () => {
  const large = JSON.stringify(jobRecord('j-large', { Labels: { x: 'y'.repeat(100_000_000) } }))
  const { notes, jobs } = await importOf({
    'orchestrator/state_boltdb.db': jobStoreBytes({
      'j-large': { spec: large },
      'j-small': completedJob('j-small'),
    }),
  })
  expect([...jobs.keys()]).toEqual(['j-small'])
  expect(codesOf(notes, 'j-large')).toEqual(['left-out damaged-page', 'left-out wrong-type'])
})

test('of a job that two generations have the newer one counts, and the other is named', async () => {
  const { notes, jobs } = await importOf({
    'orchestrator/state_boltdb.db': jobStoreBytes({ 'j-1': completedJob('j-1', { Name: 'newer' }) }),
    'orchestrator_store/jobs.db': jobStoreBytes(
      { 'j-1': completedJob('j-1', { Name: 'older' }), 'j-2': completedJob('j-2', { Name: 'newer' }) },
      { earlier: true },
    ),
  })
  expect([...jobs.values()].map(({ job }) => job.name).sort()).toEqual(['newer', 'newer-1'])
  expect(codesOf(notes, 'j-1')).toContain('left-out second-copy')
  expect(codesOf(notes, 'j-1')).toContain('changed name-taken')
})

test('names stay with one job each, whatever ids and names others have', async () => {
  const named = (id: string, name: string): JobToWrite => ({ spec: jobRecord(id, { Name: name }) })
  const { jobs } = await importOf({
    'orchestrator/state_boltdb.db': jobStoreBytes({
      'j-1': named('j-1', 'a'),
      'j-2': named('j-2', 'a'),
      'j-3': named('j-3', 'a-1'),
      'j-4': named('j-4', 'j-5'),
      'j-5': named('j-5', ''),
      '2-x': named('2-x', 'a'),
      x: named('x', 'a-2'),
    }),
  })
  const names = [...jobs.values()].map(({ job }) => job.name)
  expect(new Set(names).size).toBe(7)
  expect(jobs.get('j-5')?.job.name).toBe('j-5')
})

test('what lies astray in the files is named', async () => {
  const stray = jobStoreBytes({ 'j-1': completedJob('j-1') })
  const { notes } = await importOf({
    'orchestrator/state_boltdb.db': stray,
    'compute/state_boltdb.db': executionStoreBytes(
      { 'e-lone': executionRecord('e-lone', 'j-1'), 'e-text': '17' },
      { 'e-gone': [{ Message: 'x', Timestamp: '2023-01-01T00:00:00Z' }] },
    ),
  })
  const left = notes.filter(({ kind }) => kind === 'left-out').map(({ code, place }) => `${code} ${place}`)
  expect(left.sort()).toEqual([
    'wrong-place v2_execution_events/e-gone',
    'wrong-type v2_executions/e-lone',
    'wrong-type v2_executions/e-text',
  ])
})

test('a job in progress goes on with the engines that are named, and those are engines of this release', async () => {
  const directory = temporaryDirectory()
  const source = join(directory, 'state_boltdb.db')
  const [task] = jobRecord('j-0')['Tasks'] as readonly object[]
  const running = (engine: string): JobToWrite =>
    completedJob(`j-${engine}`, {
      Tasks: [{ ...task, Engine: { Type: engine, Params: {} } }],
      State: { StateType: 'Running' },
    })
  const engines = [...ENGINE_NAMES, 'flying']
  writeFileSync(
    source,
    jobStoreBytes(Object.fromEntries(engines.map((engine) => [`j-${engine}`, running(engine)]))),
  )
  const trial = async (...args: readonly string[]) =>
    await session.run(['import', source, '--output', 'json', '--to', join(directory, 'to'), ...args])
  const inProgress = async (...args: readonly string[]): Promise<number> => {
    const { stdout } = await trial(...args)
    return (JSON.parse(stdout) as { readonly counts: { readonly jobsInProgress: number } }).counts
      .jobsInProgress
  }
  expect(await inProgress()).toBe(ENGINE_NAMES.length - 1)
  expect(await inProgress('--engines', ENGINE_NAMES.join(','))).toBe(ENGINE_NAMES.length)
  expect(await inProgress('--engines', 'WASM, noop')).toBe(2)
  for (const wrong of ['wsm', '', 'wasm,', 'flying'])
    expect(await trial('--engines', wrong), wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is none of wasm, exec, docker, noop'),
    })
  // A variable of a shell that is not set means no directory.
  expect(await trial('--to', '')).toMatchObject({ code: 2, stderr: expect.stringContaining('It is empty') })
})
