import { expect, test } from 'vitest'
import { executionRecord, historyRecord, jobRecord } from '../../../test/bacalhau-writer.ts'
import type { Note } from '../src/index.ts'
import { readJob, settleJob, type WholeBacalhauJob } from '../src/index.ts'

const ID = 'j-1'
const OFFERS = { engines: ['wasm'], inputs: ['inline'], publishers: ['local'] }
const NOW_MS = 1_800_000_000_000

function running(task: Readonly<Record<string, unknown>>): WholeBacalhauJob {
  const [main] = jobRecord(ID)['Tasks'] as readonly object[]
  const spec = jobRecord(ID, { State: { StateType: 'Running' }, Tasks: [{ ...main, ...task }] })
  const execution = executionRecord('e-1', ID, { ComputeState: { StateType: 5 }, Revision: 3 })
  const text = (record: object): { key: string; json: string } => ({ key: '1', json: JSON.stringify(record) })
  const stored = {
    ...{
      id: ID,
      spec: JSON.stringify(spec),
      versions: [],
      evaluations: [],
      jobHistory: [],
      executionHistory: [],
    },
    executions: [{ key: 'e-1', json: JSON.stringify(execution) }],
    history: [
      text(historyRecord(ID, 'Job submitted')),
      text(historyRecord(ID, 'Requested execution on porto', { executionId: 'e-1' })),
    ],
  }
  const whole = readJob(stored, 'later', () => {})
  if (whole === null) throw new Error('the job cannot be read')
  return whole
}

function settled(whole: WholeBacalhauJob): {
  readonly job: WholeBacalhauJob
  readonly notes: readonly Note[]
} {
  const notes: Note[] = []
  return { job: settleJob(whole, { offers: OFFERS, nowMs: NOW_MS, tell: (note) => notes.push(note) }), notes }
}

test('a job in progress goes on, and its execution ends as interrupted', () => {
  const { job, notes } = settled(running({}))
  expect(job.versions.at(-1)).toMatchObject({ state: 'Running', finishedAtMs: null })
  expect(job.executions).toMatchObject([
    { state: 'Failed', endReason: 'interrupted', desiredState: 'Stopped', revision: 4, finishedAtMs: NOW_MS },
  ])
  expect(job.history.at(-1)).toMatchObject({ executionId: 'e-1', newState: 'Failed', revision: 4 })
  expect(notes.map(({ code }) => code)).toEqual(['unfinished', 'unfinished'])
})

test.each([
  ['engine docker', { Engine: { Type: 'docker', Params: { Image: 'x' } } }],
  ['publisher s3', { Publisher: { Type: 's3', Params: {} } }],
  ['input source s3', { InputSources: [{ Source: { Type: 's3', Params: {} }, Target: '/in' }] }],
])('one that needs the %s comes in as Stopped, with the reason', (lack, task) => {
  const { job, notes } = settled(running(task))
  const message = `stopped as it was imported: it needs the ${lack}, which no node here has`
  expect(job.versions.at(-1)).toMatchObject({ state: 'Stopped', stateMessage: message, finishedAtMs: NOW_MS })
  expect(job.executions).toMatchObject([{ state: 'Cancelled', endReason: 'stopped' }])
  expect(job.history.at(-1)).toMatchObject({ executionId: null, newState: 'Stopped' })
  expect(notes.at(-1)?.message).toContain('comes in as Stopped')
})
