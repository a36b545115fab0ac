import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { repeat } from './callers.mjs'
import { smallJobRequest } from './workload.mjs'

// Fills a store with jobs of a small specification, nine of ten with work to do and one finished, until there are as
// many as asked for or the file has as many bytes as it may; prints how many were made.

/** A group takes what waits, and the larger it is the less each job costs. */
const CALLERS = 4_096
/** The feed is trimmed in between, as retention does it, or it would take more room than the jobs. */
const CHUNK = 50_000

const [path, wanted, maxBytes] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const store = await openLmdbJobStore({ path })
let made = 0
while (made < wanted && store.capabilities.statistics().fileBytes < maxBytes) {
  const chunk = Math.min(CHUNK, wanted - made)
  await repeat(chunk, CALLERS, (n) => (n % 10 === 0 ? finished() : store.submitJob(smallJobRequest())))
  while ((await store.trimFeed({ maxBytes: 0 })) > 0);
  made += chunk
}
await store.close()
console.log(made)

async function finished() {
  const { job } = await store.submitJob(smallJobRequest(null))
  await store.transitionJob({ jobId: job.id, to: 'Completed' })
}
