import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { applyRetention, foldFinished } from '@saltcod/compaction'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import Table from 'cli-table3'
import { repeat } from './callers.mjs'
import { completion, executionRequest, jobRequest } from './workload.mjs'

const HELP = `Finishes jobs, lets retention remove nine of ten at random, rewrites the store online, and compares it with
a fresh store of the same survivors.

  --jobs N     finished jobs (default 200000)
  --fold       folds the survivors too, in both stores
  --dir DIR    where the stores are made (default: a temporary directory)

Exit code 1 where the used pages are over 115 % of the fresh store's, a survivor is not what it was, or the
check finds something.
`

const CALLERS = 64
const EXPIRING = 'expiring'
const KEPT = 'kept'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '200000' },
    fold: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  mkdirSync(values.dir, { recursive: true })
  const directory = mkdtempSync(join(values.dir, 'saltcod-shrink-'))
  try {
    await compare(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function compare(directory) {
  const store = await openLmdbJobStore({ path: join(directory, 'jobs.db') })
  const steps = new Table({ style: { head: [], border: [] }, head: ['', 'used', 'file', 'seconds'] })
  const step = async (name, of, work) => {
    const start = performance.now()
    const result = await work()
    const { usedBytes, fileBytes } = of.capabilities.statistics()
    const seconds = ((performance.now() - start) / 1_000).toFixed(1)
    steps.push([name, mebibytes(usedBytes), mebibytes(fileBytes), seconds])
    return { result, usedBytes }
  }

  await step(`${values.jobs} finished jobs`, store, () =>
    repeat(Number(values.jobs), CALLERS, () => finishJob(store)),
  )
  const before = await digests(store)
  const rules = [{ namespace: EXPIRING, maxAgeMs: 0 }]
  const swept = await step('retention', store, () =>
    applyRetention(store, rules, { feed: { maxBytes: 0 }, evaluationsOlderThanMs: 0 }),
  )
  if (values.fold) await step('fold', store, () => foldFinished(store, { olderThanMs: 0 }))
  const rewritten = await step('online rewrite', store, () => store.capabilities.rewrite())

  const fresh = await openLmdbJobStore({ path: join(directory, 'fresh.db') })
  const ids = [...before.keys()]
  const same = await step('fresh store, same survivors', fresh, async () => {
    await repeat(ids.length, CALLERS, async (n) => fresh.importJob(await wholeJob(store, ids[n])))
    while ((await fresh.reclaim()).more);
    while ((await fresh.trimFeed({ maxBytes: 0 })) > 0);
    if (values.fold) await foldFinished(fresh, { olderThanMs: 0 })
  })
  const tidied = await step('the same, rewritten', fresh, () => fresh.capabilities.rewrite())
  await fresh.close()

  const after = await digests(store)
  const changed = [...before].filter(([id, digest]) => after.get(id) !== digest).length
  const { findings } = await store.check()
  await store.close()
  const ratios = [same, tidied].map(({ usedBytes }) => rewritten.usedBytes / usedBytes)
  console.log(steps.toString())
  console.log(
    `removed ${swept.result.removed}, survivors ${after.size}, changed survivors ${changed + Math.abs(after.size - before.size)}, findings ${findings.length}, pause ${rewritten.result.pauseMs.toFixed(1)} ms, used pages ${ratios[0].toFixed(3)} x of the fresh store, ${ratios[1].toFixed(3)} x once that is rewritten`,
  )
  if (Math.max(...ratios) > 1.15 || changed > 0 || after.size !== before.size || findings.length > 0)
    process.exitCode = 1
}

async function finishJob(store) {
  const namespace = Math.random() < 0.9 ? EXPIRING : KEPT
  const { job } = await store.submitJob({ ...jobRequest(null), namespace })
  const { id: executionId } = await store.createExecution(executionRequest(job.id))
  await store.updateExecution({ executionId, to: 'Completed', patch: completion(job.id, executionId) })
  await store.transitionJob({ jobId: job.id, to: 'Completed' })
}

/** What every survivor is, as far as any reader can see, by its id. */
async function digests(store) {
  const found = new Map()
  for (let cursor = null; ; ) {
    const page = await store.listJobs({ namespace: KEPT, limit: 1_000, cursor })
    for (const job of page.items) {
      const whole = JSON.stringify([job, await wholeJob(store, job.id)])
      found.set(job.id, createHash('sha256').update(whole).digest('hex'))
    }
    cursor = page.next
    if (cursor === null) return found
  }
}

async function wholeJob(store, jobId) {
  return {
    versions: await store.listJobVersions(jobId),
    executions: (await store.listExecutions({ jobId, limit: 1_000 })).items,
    evaluations: [],
    history: (await store.listHistory({ jobId, limit: 1_000 })).items,
  }
}

function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
