import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Note } from '@saltcod/bacalhau-records'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { expect, test, vi } from 'vitest'
import { BACALHAU_FILES, BACALHAU_FILES_MISSING } from '../../../test/bacalhau-answers.ts'
import {
  completedJob,
  executionRecord,
  historyRecord,
  type JobToWrite,
  jobRecord,
  jobStoreBytes,
} from '../../../test/bacalhau-writer.ts'
import { IS_LONG } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { withBacalhauFiles } from '../src/bacalhau/bacalhau-files.ts'
import { type FillCounts, fillStores } from '../src/bacalhau/fill-stores.ts'

vi.setConfig({ testTimeout: 600_000 })

const WORKER = fileURLToPath(new URL('../dist/worker-main.js', import.meta.url))

interface Filled {
  readonly counts: FillCounts
  readonly notes: readonly string[]
  readonly rows: readonly string[]
}

/** Imports files with all jobs as whole ones, or all record by record, and returns every row of both stores. */
async function fill(source: string, largeJobBytes: number): Promise<Filled> {
  const work = temporaryDirectory()
  const notes: Note[] = []
  const paths = { jobs: join(work, 'jobs.db'), executions: join(work, 'executions.db') }
  const counts = await withBacalhauFiles({ err: () => undefined } as never, source, async (files) =>
    fillStores({
      files,
      place: { repository: work, nodeId: 'n-1', work, paths, made: [] },
      offers: { engines: ['wasm'], inputs: ['inline'], publishers: ['local'] },
      nowMs: 1_800_000_000_000,
      tell: (note) => notes.push(note),
      largeJobBytes,
      onProgress: () => undefined,
    }),
  )
  const rows: string[] = []
  for (const path of Object.values(paths)) {
    const kv = await openLmdbKv({ path, tables: STORE_TABLES, readOnly: true })
    kv.read((snapshot) => {
      // What a store says of itself has an id that no other one has.
      for (const table of STORE_TABLES.filter((name) => name !== 'meta')) {
        for (const { key, value } of snapshot.range(table, { limit: 10_000 }))
          rows.push(rowText(table, key, value))
      }
    })
    await kv.close()
  }
  return { counts: { ...counts, bytes: 0 }, notes: notes.map((note) => JSON.stringify(note)).sort(), rows }
}

function rowText(table: string, key: Uint8Array, value: Uint8Array): string {
  return `${table} ${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString()}`
}

async function expectSame(source: string): Promise<Filled> {
  const [whole, inParts] = [await fill(source, 2 ** 28), await fill(source, 0)]
  expect(inParts.counts).toEqual(whole.counts)
  expect(inParts.rows).toEqual(whole.rows)
  // Of a job that cannot be read a whole one knows how much goes with it.
  const plain = ({ notes }: Filled): readonly string[] =>
    notes.map((note) => note.replace(/, with \d.*"}$/, ''))
  const [wanted, found] = [plain(whole), plain(inParts)]
  expect(found.map((note) => note.replace(/, with all that belongs to it"}$/, ''))).toEqual(wanted)
  return whole
}

function sourceOf(jobs: Readonly<Record<string, JobToWrite>>, earlier = false): string {
  const source = temporaryDirectory()
  const directory = join(source, earlier ? 'orchestrator_store' : 'orchestrator')
  mkdirSync(directory)
  writeFileSync(join(directory, earlier ? 'jobs.db' : 'state_boltdb.db'), jobStoreBytes(jobs, { earlier }))
  return source
}

test.skipIf(BACALHAU_FILES_MISSING !== null).each(['1.2.0', '1.4.0-upgraded-to-1.9.3', '1.9.3'])(
  'jobs of %s that are read record by record come to the same rows as whole ones',
  async (release) => {
    const { rows } = await expectSame(join(BACALHAU_FILES, `bacalhau-${release}`))
    expect(rows.length).toBeGreaterThan(100)
  },
)

test('so do odd ones, those in progress, and those of two versions', async () => {
  const [running, bid] = [{ StateType: 6 }, { StateType: 5 }].map((ComputeState) => ({ ComputeState }))
  const odd: JobToWrite = {
    ...completedJob('j-odd', { Name: 'twin' }),
    executions: {
      'e state': executionRecord('e state', 'j-odd'),
      'e-state': executionRecord('e-state', 'j-odd', { ComputeState: { StateType: 99 } }),
      'e-text': 'null',
    },
    evaluations: {
      'v-1': { ID: 'v-1', TriggeredBy: 'job-register', Status: 'pending' },
      'v-2': { ID: 'v-2', TriggeredBy: 'a whim' },
    },
    history: [historyRecord('j-odd', 'of an odd one', { executionId: 'e state' }), 'no JSON'],
  }
  const goesOn: JobToWrite = {
    ...completedJob('j-on', { Name: 'twin', State: { StateType: 'Running' }, Version: 2 }),
    executions: {
      'e-on': executionRecord('e-on', 'j-on', running),
      'e-other': executionRecord('e-other', 'j-on', bid),
    },
  }
  const lacks = { Tasks: [{ ...(jobRecord('j-x')['Tasks'] as object[])[0], Engine: { Type: 'docker' } }] }
  const { counts } = await expectSame(
    sourceOf({
      'j-odd': odd,
      'j-on': goesOn,
      'j-lacks': completedJob('j-lacks', { ...lacks, State: { StateType: 'Pending' } }),
      'j-no-spec': { executions: { 'e-lone': executionRecord('e-lone', 'j-no-spec') } },
    }),
  )
  expect(counts).toMatchObject({ jobs: 3, jobsInProgress: 1 })
})

test('so do those of v1.4, whose history is in two buckets', async () => {
  const [first, second] = [completedJob('j-1'), completedJob('j-2')]
  const states = (New: unknown, laterMs: number): Record<string, unknown> => ({
    ...historyRecord('j-1', 'x', { laterMs }),
    JobState: { New },
  })
  const ofExecution = (New: number, laterMs: number): Record<string, unknown> => ({
    ...historyRecord('j-1', 'y', { executionId: 'e-1', laterMs }),
    ExecutionState: { New },
  })
  const { rows } = await expectSame(
    sourceOf(
      {
        'j-1': {
          spec: first.spec ?? '',
          executions: { 'e-1': executionRecord('e-1', 'j-1', { ComputeState: { StateType: 7 } }) },
          job_history: [states('Pending', 0), states('Running', 20), states('Completed', 30)],
          execution_history: [ofExecution(1, 0), ofExecution(2, 10), ofExecution(7, 30)],
        },
        'j-2': { spec: second.spec ?? '' },
      },
      true,
    ),
  )
  const words = rows.filter((row) => row.startsWith('history ')).map((row) => /"[xy]"/.exec(row)?.[0])
  expect(words).toEqual(['"x"', '"y"', '"y"', '"x"', '"x"', '"y"'])
})

test('so do those whose history has words that are no states, which are told of', async () => {
  const job = completedJob('j-words')
  const said = (message: string, New: unknown): Record<string, unknown> => ({
    ...historyRecord('j-words', message),
    JobState: { New },
  })
  const { counts, notes } = await expectSame(
    sourceOf(
      {
        'j-words': {
          spec: job.spec ?? '',
          job_history: [said('a', 'Pending'), said('b', 'InProgress'), said('c', 'Completed')],
        },
      },
      true,
    ),
  )
  expect(counts).toMatchObject({ jobs: 1, history: 3 })
  expect(notes.filter((note) => /unknown-state.*InProgress/.test(note))).toHaveLength(1)
})

/** Of 1 KB each, or fewer with a long output. */
const EXECUTIONS = IS_LONG ? 100_000 : 2_500
const OUTPUT = IS_LONG ? 'hello' : 'x'.repeat(10_000)
const HEAP_MIB = IS_LONG ? 256 : 64

test(`a job of ${EXECUTIONS} executions is imported with a heap of ${HEAP_MIB} MiB`, async () => {
  const id = 'j-large'
  const ids = Array.from({ length: EXECUTIONS }, (_, index) => `e-${String(index).padStart(8, '0')}`)
  const source = sourceOf({
    [id]: {
      spec: jobRecord(id),
      executions: Object.fromEntries(
        ids.map((executionId) => [
          executionId,
          executionRecord(executionId, id, { Job: jobRecord(id), RunOutput: { Stdout: OUTPUT } }),
        ]),
      ),
      history: ids.map((executionId) => historyRecord(id, 'Completed successfully', { executionId })),
    },
  })
  const to = join(source, 'repository')
  const args = ['import', source, '--to', to, '--apply', '--output', 'json']
  const heap = `--max-old-space-size=${HEAP_MIB}`
  const { stdout } = await promisify(execFile)(process.execPath, [heap, WORKER, ...args])
  const { counts, notes } = JSON.parse(stdout) as { counts: FillCounts; notes: readonly { code: string }[] }
  expect(counts).toMatchObject({ jobs: 1, executions: EXECUTIONS, history: EXECUTIONS })
  expect(notes.map(({ code }) => code)).toEqual(['history-conclusion'])
})
