import { readFileSync } from 'node:fs'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { repeat } from './callers.mjs'
import { median } from './rounds.mjs'
import { jobRequest } from './workload.mjs'

// Creates jobs until there are as many as asked for, and prints the median of the resident anonymous memory
// over the second half of the way to a hundredth of them and to all of them.

const [path, large] = [process.argv[2], Number(process.argv[3])]
const store = await openLmdbJobStore({ path })
console.log(
  JSON.stringify({ smallBytes: await growTo(large / 100, 0), largeBytes: await growTo(large, large / 100) }),
)
await store.close()

async function growTo(count, from) {
  const samples = []
  const every = Math.max(1, Math.floor(count / 200))
  await repeat(count - from, 64, async (n) => {
    await store.submitJob(jobRequest(null))
    if (from + n > count / 2 && n % every === 0) samples.push(anonymousBytes())
  })
  return median(samples)
}

function anonymousBytes() {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024
}
