import { createInterface } from 'node:readline'
import { newId } from '@saltcod/store-core'
import Database from 'better-sqlite3'
import { callsPerSecond, walk } from '../callers.mjs'
import {
  COMPUTE_LIFE,
  completedPatch,
  computeExecutionRequest,
  executionRequest,
  jobRequest,
  REQUESTER_LIFE,
} from '../workload.mjs'
import { ExecutionStore } from './execution-store.mjs'
import { JobStore } from './job-store.mjs'
import { SharedTransaction, TransactionEach } from './transactions.mjs'

// The peer of the throughput rows in SQLite: answers the requests that the Go program answers, one line of JSON each.
// peer-process.mjs each: a transaction for each call; peer-process.mjs group: one for all callers that wait.

const Transactions = process.argv[2] === 'group' ? SharedTransaction : TransactionEach
const FILL_AT_ONCE = 500
let database
let transactions
let store
/** Ids of jobs to get, or of executions that have their way before them. */
const ids = []

const operations = {
  'open-jobs': ({ path }) => open(path, JobStore),
  'open-executions': ({ path }) => open(path, ExecutionStore),
  fill: ({ count }) =>
    prepare(count, () => {
      if (store instanceof JobStore) return store.submit(jobRequest(null))
      const id = newId('e')
      store.create(computeExecutionRequest(id, newId('j')))
      return id
    }),
  'prepare-updates': ({ count }) =>
    prepare(count, () => store.createExecution(executionRequest(store.submit(jobRequest(null))))),
  submit: (request) => perSecond(request, () => transactions.write(() => store.submit(jobRequest()))),
  create: (request) => perSecond(request, () => transactions.write(() => store.submit(jobRequest(null)))),
  get: (request) => perSecond(request, () => store.get(ids[Math.floor(Math.random() * ids.length)])),
  'change-state': (request) => perStep(request, 'Created', COMPUTE_LIFE, (step) => store.update(step)),
  'update-execution': (request) =>
    perStep(request, 'New', REQUESTER_LIFE.map(requesterStep), (step) => store.updateExecution(step)),
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  let answer
  try {
    answer = (await operations[request.op](request)) ?? {}
  } catch (error) {
    answer = { error: `${request.op}: ${error.message}` }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
database?.close()

function open(path, Store) {
  database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  store = new Store(database)
  transactions = new Transactions(database)
}

/** Makes records for a measurement, many in a transaction. */
function prepare(count, make) {
  const group = database.transaction((size) => {
    for (let n = 0; n < size; n += 1) ids.push(make())
  })
  for (let made = 0; made < count; made += FILL_AT_ONCE) group(Math.min(FILL_AT_ONCE, count - made))
}

async function perSecond({ callers, seconds }, work) {
  return { perSecond: await callsPerSecond(callers, seconds, work) }
}

/** Brings the prepared executions through a life, each step a call. */
async function perStep({ callers, seconds }, first, life, update) {
  const lives = walk(ids, life.length)
  const answer = await callsPerSecond(callers, seconds, async (caller) => {
    const at = lives.next(caller)
    if (at === null) return false
    const { to, message, topic, patch } = life[at.step]
    const from = at.step === 0 ? first : life[at.step - 1].to
    await transactions.write(() =>
      update({ executionId: at.record, from, to, event: { message, topic }, patch }),
    )
    return true
  })
  return { perSecond: answer }
}

function requesterStep(to) {
  return {
    to,
    message: 'Execution changed its state',
    topic: 'Scheduling',
    patch: ({ jobId, id }) => (to === 'Completed' ? completedPatch(jobId, id) : {}),
  }
}
