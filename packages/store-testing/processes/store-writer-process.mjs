// Writes through both stores with many concurrent callers until it is killed. Each outcome is one line of JSON in a
// file, written before the caller goes on: what was acknowledged, and what was begun that removes something.
// Arguments: BACKEND DIRECTORY LIFE.
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const [module, directory, life] = process.argv.slice(2)
const { openExecutionStore, openJobStore } = await import(module)
const file = openSync(join(directory, 'outcomes.ndjson'), 'a')
const say = (outcome) => writeSync(file, `${JSON.stringify(outcome)}\n`)
const below = (bound) => Math.floor(Math.random() * bound)
const JOB_CALLERS = 12
const EXECUTION_CALLERS = 8
const MAX_OWN = 6

const jobs = await openJobStore(directory)
const executions = await openExecutionStore(directory)
process.stdout.write('ready\n')

const job = ({ id, revision, state, version }) => say({ what: 'job', id, revision, state, version })
const run = ({ id, jobId, revision, state }) => say({ what: 'run', id, jobId, revision, state })
const kept = ({ id, revision, state }) => say({ what: 'kept', id, revision, state })

async function removeJob(id, revision) {
  say({ what: 'removing job', id, revision })
  job(await jobs.transitionJob({ jobId: id, to: 'Stopped', expectedRevision: revision }))
  await jobs.deleteJob({ jobId: id })
  say({ what: 'removed job', id })
}

/** Each caller changes jobs of its own, those of its forerunner included, so that it knows every revision. */
async function callJobs(caller) {
  const labels = [{ key: 'caller', operator: '=', values: [String(caller)] }]
  const { items } = await jobs.listJobs({ labels, limit: 1_000 })
  const own = []
  for (const { id, revision, state } of items) {
    if (state === 'Stopped') await jobs.deleteJob({ jobId: id })
    else own.push({ id, revision, state, runs: [] })
  }
  for (let n = 0; ; n += 1) {
    const pick = own[below(own.length)]
    const step = below(8)
    if (pick === undefined || (step < 2 && own.length < MAX_OWN)) {
      const id = `job-${life}-${caller}-${n}`
      const submitted = await jobs.submitJob({
        id,
        type: 'batch',
        spec: { caller, text: 'x'.repeat(below(2_000)) },
        labels: { caller: String(caller) },
        submitKey: id,
        evaluation: { id: `v-${id}`, trigger: 'job-register' },
        outbox: [{ destination: 'node', body: id }],
      })
      job(submitted.job)
      own.push({ id, revision: 1, state: 'Pending', runs: [] })
    } else if (own.length >= MAX_OWN || step === 2) {
      own.splice(own.indexOf(pick), 1)
      await removeJob(pick.id, pick.revision)
      await jobs.reclaim()
    } else if (step === 3) {
      const revised = await jobs.reviseJob({ jobId: pick.id, spec: { n }, evaluation: null })
      job(revised.job)
      pick.revision = revised.job.revision
      pick.state = 'Pending'
    } else if (step === 4) {
      const to = pick.state === 'Running' ? 'Queued' : 'Running'
      const moved = await jobs.transitionJob({ jobId: pick.id, to, deadlineAtMs: Date.now() + below(10_000) })
      job(moved)
      pick.revision = moved.revision
      pick.state = to
    } else if (step === 5) {
      const made = await jobs.createExecution({
        id: `run-${life}-${caller}-${n}`,
        jobId: pick.id,
        nodeId: `n${below(3)}`,
      })
      run(made)
      pick.runs.push(made)
    } else if (step === 6 && pick.runs.length > 0) {
      const execution = pick.runs.pop()
      run(
        await jobs.updateExecution({
          executionId: execution.id,
          to: 'Running',
          patch: { desiredState: 'Running' },
        }),
      )
      run(
        await jobs.updateExecution({
          executionId: execution.id,
          to: 'Completed',
          patch: { runOutput: { n } },
        }),
      )
    } else {
      const { sequence } = await jobs.addHistory({ jobId: pick.id, event: { message: `note ${n}` } })
      say({ what: 'note', id: pick.id, sequence })
    }
  }
}

/** Claims evaluations and answers each with a plan of three executions and a follow-up. */
async function work(worker) {
  for (let n = 0; ; n += 1) {
    const claim = await jobs.claimEvaluation({ holder: `w${worker}`, leaseMs: 60_000, scheduler: true })
    if (claim === null) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      continue
    }
    const { lease, evaluation } = claim
    const { jobId } = evaluation
    const name = `plan-${life}-${worker}-${n}`
    const ids = [0, 1, 2].map((part) => `${name}-${part}`)
    const plan = {
      lease,
      newExecutions: ids.map((id) => ({ id, jobId, nodeId: 'planned' })),
      followUps: evaluation.trigger === 'job-register' ? [{ id: `v-${name}`, trigger: 'job-queue' }] : [],
    }
    say({ what: 'planning', name, jobId, evaluation: evaluation.id, ids })
    try {
      await jobs.applyPlan(plan)
      say({ what: 'planned', name })
    } catch (error) {
      // Its job may have been deleted in between.
      if (error.code !== 'LEASE_LOST') throw error
      say({ what: 'not planned', name })
    }
  }
}

async function callExecutions(caller) {
  let checkpoint = await executions.getCheckpoint(`caller ${caller}`)
  const old = await executions.listExecutions({ jobId: `j${caller}`, limit: 1_000 })
  for (const { id, revision, finishedAtMs } of old.items)
    await removeKept(id, revision, finishedAtMs !== null)
  for (let n = 0; ; n += 1) {
    const id = `kept-${life}-${caller}-${n}`
    let newest = await executions.createExecution({
      id,
      job: {
        id: `j${caller}`,
        version: 1,
        namespace: 'default',
        name: 'j',
        type: 'batch',
        priority: 0,
        spec: { n },
      },
      requesterId: 'requester',
      deadlineAtMs: Date.now() + below(1_000),
    })
    kept(newest)
    const way = ['BidAccepted', 'Running', 'Publishing', 'Completed'].slice(0, below(5))
    for (const to of way) {
      const outbox = [{ destination: 'requester', body: { id, to } }]
      newest = await executions.updateExecution({ executionId: id, to, outbox })
      kept(newest)
    }
    checkpoint += 1
    await executions.setCheckpoint(`caller ${caller}`, checkpoint)
    say({ what: 'checkpoint', id: `caller ${caller}`, checkpoint })
    if (below(5) > 0) await removeKept(id, newest.revision, newest.finishedAtMs !== null)
  }
}

async function removeKept(id, revision, ended) {
  say({ what: 'removing kept', id, revision })
  if (!ended) kept(await executions.updateExecution({ executionId: id, to: 'Failed' }))
  await executions.deleteExecution({ executionId: id })
  say({ what: 'removed kept', id })
  await executions.reclaim()
}

/** What keeps the stores small. */
async function keepHouse() {
  for (;;) {
    await jobs.trimFeed({ maxBytes: 200_000 })
    await executions.trimFeed({ maxBytes: 200_000 })
    await jobs.acknowledgeOutbox({ destination: 'node', upToSequence: (await jobs.info()).sequence })
    await executions.acknowledgeOutbox({
      destination: 'requester',
      upToSequence: (await executions.info()).sequence,
    })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

await Promise.all([
  ...Array.from({ length: JOB_CALLERS }, (_, caller) => callJobs(caller)),
  ...Array.from({ length: EXECUTION_CALLERS }, (_, caller) => callExecutions(caller)),
  ...[0, 1, 2].map(work),
  keepHouse(),
])
