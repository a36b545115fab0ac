import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import Table from 'cli-table3'
import { ServedNode } from './served-node.mjs'

const HELP = `Submits jobs to a real node at a steady rate: first alone, then while it removes old jobs and rewrites its stores.

  --seconds N    how long each of the two (default 120)
  --rate N       submits a second (default 200)
  --fill N       finished jobs that are there before, and are removed (default 20000)
  --dir DIR      where the stores are made (default: a temporary directory)

Exit code 1 where a submit failed, an acknowledged job is missing, a pause took 100 ms or longer, or the slowest
hundredth of the submits took more than three times as long as alone. Build first.
`
const NODE_ID = 'n-load'
const SPEC_BYTES = 1_000
const FILLERS = 64
const MOST_RATIO = 3
const MOST_PAUSE_MS = 100

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    rate: { type: 'string', default: '200' },
    fill: { type: 'string', default: '20000' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  mkdirSync(values.dir, { recursive: true })
  const directory = mkdtempSync(join(values.dir, 'saltcod-load-'))
  let node
  try {
    await fill(directory)
    // It schedules and runs nothing: the jobs wait, and only what submits cost is measured.
    node = await ServedNode.start(directory, ['--node-id', NODE_ID, '--node-type', 'requester'])
    await submitting(node, Math.min(10, Number(values.seconds)))
    const alone = await submitting(node, Number(values.seconds))
    const work = { over: false }
    const working = upkeep(node, work)
    const beside = await submitting(node, Number(values.seconds))
    work.over = true
    const done = await working
    const missing = await missingJobs(node, [...alone.ids, ...beside.ids])
    tell(alone, beside, done, missing)
  } finally {
    await node?.end('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Finished jobs in a namespace of their own, written before the node starts. */
async function fill(directory) {
  const path = join(directory, `${NODE_ID}-requester`, 'jobs.db')
  const store = await openLmdbJobStore({ path, nodeId: NODE_ID })
  const spec = { Constraints: [], Meta: { padding: 'x'.repeat(SPEC_BYTES) }, Tasks: [] }
  let left = Number(values.fill)
  const filler = async () => {
    while (left > 0) {
      left -= 1
      const { job } = await store.submitJob({ namespace: 'old', type: 'batch', spec, evaluation: null })
      await store.transitionJob({ jobId: job.id, to: 'Completed' })
    }
  }
  await Promise.all(Array.from({ length: FILLERS }, filler))
  await store.close()
}

/** Submits at a steady rate, whether earlier ones have been answered or not. */
async function submitting(node, seconds) {
  const rate = Number(values.rate)
  const beganMs = performance.now()
  const ids = []
  const failures = []
  const times = []
  const pending = new Set()
  for (let sent = 0; sent < seconds * rate; sent++) {
    const waitMs = beganMs + (sent * 1000) / rate - performance.now()
    if (waitMs > 1) await delay(waitMs)
    const startMs = performance.now()
    const submit = node.call('PUT', '/api/v1/orchestrator/jobs', { Job: job() }).then(
      ({ JobID }) => {
        times.push(performance.now() - startMs)
        ids.push(JobID)
      },
      (error) => failures.push(String(error.message ?? error)),
    )
    pending.add(submit)
    void submit.then(() => pending.delete(submit))
  }
  await Promise.all(pending)
  return { ids, failures, times: times.sort((a, b) => a - b) }
}

function job() {
  const padding = 'x'.repeat(SPEC_BYTES)
  return { Type: 'batch', Meta: { padding }, Tasks: [{ Name: 'main', Engine: { Type: 'noop' } }] }
}

/** Removes a part of the old jobs and rewrites the stores, again and again. */
async function upkeep(node, work) {
  const done = { removed: 0, rewrites: [], errors: [] }
  const steps = 5
  for (let step = 1; !work.over; step++) {
    const maxCount = Math.max(0, Math.floor(Number(values.fill) * (1 - step / steps)))
    const gc = await node.call('POST', '/api/v1/saltcod/gc', { namespace: 'old', maxCount })
    done.removed += gc.removedJobs
    await node.call('POST', '/api/v1/saltcod/compact')
    for (;;) {
      const status = await node.call('GET', '/api/v1/saltcod/compact')
      if (status.error !== null) done.errors.push(status.error.message)
      if (status.report !== null) done.rewrites.push(status.report)
      if (!status.running) break
      await delay(50)
    }
    await delay(1_000)
  }
  return done
}

async function missingJobs(node, ids) {
  const there = new Set()
  let token = ''
  do {
    const page = await node.call('GET', `/api/v1/orchestrator/jobs?limit=1000&next_token=${token}`)
    for (const { ID } of page.Items) there.add(ID)
    token = page.NextToken
  } while (token !== '')
  return ids.filter((id) => !there.has(id))
}

function tell(alone, beside, done, missing) {
  const at = (times, share) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  const table = new Table({ head: ['submits', 'number', 'failed', 'p50 ms', 'p99 ms', 'longest ms'] })
  for (const [name, { ids, failures, times }] of [
    ['alone', alone],
    ['beside gc and compaction', beside],
  ]) {
    const ms = [at(times, 0.5), at(times, 0.99), times.at(-1) ?? 0].map((value) => value.toFixed(1))
    table.push([name, ids.length, failures.length, ...ms])
  }
  const ratio = at(beside.times, 0.99) / at(alone.times, 0.99)
  const pauses = done.rewrites.map(({ pauseMs }) => pauseMs)
  const longest = Math.max(0, ...pauses)
  const last = done.rewrites.at(-1)
  console.log(table.toString())
  console.log(`p99 beside / p99 alone: ${ratio.toFixed(2)} (at most ${MOST_RATIO})`)
  console.log(
    `${done.removed} old jobs removed, ${done.rewrites.length} rewrites, the longest pause ${longest.toFixed(1)} ms (below ${MOST_PAUSE_MS})`,
  )
  if (last !== undefined)
    console.log(`the last one: ${last.bytesBefore} bytes before, ${last.bytesAfter} after`)
  for (const error of done.errors.slice(0, 5)) console.log(`not rewritten: ${error}`)
  for (const failure of [...alone.failures, ...beside.failures].slice(0, 5)) console.log(`failed: ${failure}`)
  console.log(`${missing.length} acknowledged jobs missing`)
  const failed = alone.failures.length + beside.failures.length + missing.length
  const bad = failed > 0 || ratio > MOST_RATIO || longest >= MOST_PAUSE_MS || done.rewrites.length === 0
  process.exitCode = bad ? 1 : 0
}
