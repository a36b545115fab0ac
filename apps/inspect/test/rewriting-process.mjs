// Changes the same few jobs of a store again and again, one change after the other, and trims the feed, so that the
// file has to grow only where it may not use its free pages. Prints how long the changes took in milliseconds.
import { openLmdbJobStore } from '@saltcod/store-lmdb'

const [path, count] = process.argv.slice(2)
const JOBS = 20
const store = await openLmdbJobStore({ path, nodeId: 'n-1' })
for (let number = 0; number < JOBS; number += 1) {
  await store.submitJob({ id: `rewritten-${number}`, type: 'batch', spec: {}, evaluation: null })
}
const startMs = performance.now()
for (let number = 0; number < Number(count); number += 1) {
  const jobId = `rewritten-${number % JOBS}`
  await store.transitionJob({ jobId, to: Math.floor(number / JOBS) % 2 === 0 ? 'Queued' : 'Running' })
  if (number % 100 === 99) await store.trimFeed({ maxBytes: 100_000 })
}
const durationMs = performance.now() - startMs
await store.close()
process.stdout.write(`${durationMs}\n`)
