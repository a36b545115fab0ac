import assert from 'node:assert/strict'

import {
  EXECUTION_MACHINE,
  type Execution,
  type ExecutionQuery,
  type Job,
  type JobQuery,
} from '@saltcod/store-core'
import { readAll } from '../store/pages.ts'
import { type JobWorld, NAMES, NAMESPACES } from './job-commands.ts'

type Order<T> = (record: T) => number

function sorted<T extends { readonly id: string }>(records: Iterable<T>, order: Order<T>): T[] {
  return [...records].sort((a, b) => order(a) - order(b) || (a.id < b.id ? -1 : 1))
}

/** Compares everything that a store shows with the model. */
export async function compareJobWorld(world: JobWorld): Promise<void> {
  await compareJobs(world)
  await compareExecutions(world)
  await compareEvaluations(world)
  await compareHistory(world)
  await compareNodes(world)
  await compareTotals(world)
}

async function compareJobs({ store, model }: JobWorld): Promise<void> {
  const { jobs } = model.state
  const cases: readonly (readonly [JobQuery, (job: Job) => boolean, Order<Job>])[] = [
    [{}, () => true, (job) => job.createdAtMs],
    [{ namespace: 'other' }, (job) => job.namespace === 'other', (job) => job.createdAtMs],
    [{ states: ['Pending'] }, (job) => job.state === 'Pending', (job) => job.stateSinceMs],
    [
      { states: ['Completed'], namespace: 'default' },
      (job) => job.state === 'Completed' && job.namespace === 'default',
      (job) => job.finishedAtMs ?? 0,
    ],
    [{ inProgress: true }, (job) => job.finishedAtMs === null, (job) => job.createdAtMs],
    [
      { labels: [{ key: 'color', operator: '=', values: ['red'] }] },
      (job) => job.labels['color'] === 'red',
      (job) => job.createdAtMs,
    ],
  ]
  for (const [query, matches, order] of cases) {
    const expected = sorted([...jobs.values()].filter(matches), order)
    const found = await readAll((request) => store.listJobs({ ...query, ...request }), { limit: 3 })
    assert.deepEqual(found, expected, `listJobs ${JSON.stringify(query)}`)
    const reversed = await readAll((request) => store.listJobs({ ...query, ...request, reverse: true }), {
      limit: 2,
    })
    assert.deepEqual(reversed, [...expected].reverse(), `listJobs ${JSON.stringify(query)} reversed`)
  }
  for (const namespace of NAMESPACES) {
    for (const name of NAMES) {
      assert.deepEqual(await store.getJobByName(namespace, name), model.byName(namespace, name) ?? null)
    }
  }
  for (const id of jobs.keys()) {
    const versions = (await store.listJobVersions(id)).map((version) => version.spec)
    assert.deepEqual(
      versions,
      model.state.versions.get(id)?.map(({ spec }) => spec),
    )
  }
}

async function compareExecutions({ store, model }: JobWorld): Promise<void> {
  const { executions, jobs } = model.state
  const byCreation: Order<Execution> = (execution) => execution.createdAtMs
  // What has ended keeps the time that the clock told then, and stands among the others as it was written.
  const bySince: Order<Execution> = ({ stateSinceMs, finishedAtMs }) =>
    finishedAtMs === null ? stateSinceMs + model.aheadMs : stateSinceMs
  const live = (execution: Execution) => !EXECUTION_MACHINE.terminal.has(execution.state)
  const cases: readonly (readonly [ExecutionQuery, (execution: Execution) => boolean, Order<Execution>])[] = [
    [{ nodeId: 'n1' }, (execution) => execution.nodeId === 'n1', byCreation],
    [{ inProgress: true }, live, bySince],
    [{ states: ['Failed', 'New'] }, ({ state }) => state === 'Failed' || state === 'New', bySince],
    ...[...jobs.keys()].map(
      (jobId) => [{ jobId }, (execution: Execution) => execution.jobId === jobId, byCreation] as const,
    ),
  ]
  for (const [query, matches, order] of cases) {
    const expected = sorted([...executions.values()].filter(matches), order)
    const found = await readAll((request) => store.listExecutions({ ...query, ...request }), { limit: 2 })
    assert.deepEqual(found, expected, `listExecutions ${JSON.stringify(query)}`)
  }
}

async function compareEvaluations({ store, model }: JobWorld): Promise<void> {
  const { evaluations, jobs } = model.state
  const plain = (list: readonly { readonly sequence: number }[]) =>
    list.map((each) => ({ ...each, sequence: 0 }))
  for (const jobId of jobs.keys()) {
    const expected = sorted(
      [...evaluations.values()].filter((evaluation) => evaluation.jobId === jobId),
      ({ sequence }) => sequence,
    )
    const found = await readAll((request) => store.listEvaluations({ jobId, ...request }), { limit: 3 })
    assert.deepEqual(plain(found), plain(expected), `evaluations of ${jobId}`)
  }
  const all = await readAll((request) => store.listEvaluations({ ...request, limit: 1_000 }))
  assert.equal(all.length, evaluations.size)
  assert.equal(await store.nextEvaluationMs(), model.evaluations.nextMs(), 'when work is due next')
}

async function compareHistory({ store, model }: JobWorld): Promise<void> {
  for (const [jobId, entries] of model.state.history) {
    const found = await readAll((request) => store.listHistory({ jobId, ...request }), { limit: 500 })
    assert.deepEqual(
      found.map((entry) => [
        entry.executionId,
        entry.previousState,
        entry.newState,
        entry.revision,
        entry.event.message,
      ]),
      entries,
      `history of ${jobId}`,
    )
  }
}

async function compareNodes({ store, model }: JobWorld): Promise<void> {
  const nodes = sorted(model.state.nodes.values(), () => 0)
  // Ids of ours stand behind those that are texts.
  const found = await readAll((request) => store.listNodes(request), { limit: 2 })
  assert.deepEqual(
    sorted(found, () => 0),
    nodes,
    'nodes',
  )
  const pending = await readAll((request) => store.listNodes({ ...request, membership: 'pending' }))
  assert.deepEqual(
    sorted(pending, () => 0),
    nodes.filter(({ membership }) => membership === 'pending'),
    'pending nodes',
  )
}

async function compareTotals({ store, model }: JobWorld): Promise<void> {
  const { jobs, executions, evaluations, nodes } = model.state
  const counts: Record<string, number> = {}
  const add = (kind: string, namespace: string, state: string) => {
    const name = `${kind} ${namespace} ${state}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  for (const { namespace, state } of jobs.values()) add('job', namespace, state)
  for (const { namespace, state } of executions.values()) add('execution', namespace, state)
  for (const { namespace, status } of evaluations.values()) add('evaluation', namespace, status)
  for (const { membership } of nodes.values()) add('node', '', membership)
  const found = Object.fromEntries(
    (await store.counts()).map(({ kind, namespace, state, records }) => [
      `${kind} ${namespace} ${state}`,
      records,
    ]),
  )
  assert.deepEqual(found, counts, 'counts')
  const deadlines = [
    ...[...jobs.values()].map((job) => ({ kind: 'job', id: job.id, dueAtMs: job.deadlineAtMs })),
    ...[...executions.values()].map(({ id, deadlineAtMs }) => ({
      kind: 'execution',
      id,
      dueAtMs: deadlineAtMs,
    })),
  ].filter((deadline): deadline is typeof deadline & { dueAtMs: number } => deadline.dueAtMs !== null)
  deadlines.sort(
    (a, b) =>
      a.dueAtMs - b.dueAtMs || (a.kind === b.kind ? (a.id < b.id ? -1 : 1) : a.kind < b.kind ? -1 : 1),
  )
  assert.equal(await store.nextDeadlineMs(), deadlines[0]?.dueAtMs ?? null, 'next deadline')
  const due = deadlines.filter(({ dueAtMs }) => dueAtMs <= model.nowMs)
  assert.deepEqual(await store.dueDeadlines(), due, 'due deadlines')
}
