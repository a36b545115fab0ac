import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { callsPerSecond } from './callers.mjs'
import { ThreadedStore } from './threaded-store.mjs'
import { jobRequest } from './workload.mjs'

// Creates jobs as many callers at once, and prints how often in a second, and how long the event loop was held up.

const RESOLUTION_MS = 1
const ASK_EVERY_MS = 5

const [path, place, callers, seconds] = process.argv.slice(2)
const store =
  place === 'store' ? await ThreadedStore.open(path) : await openLmdbJobStore({ path, commitThread: place })
const { job } = await store.submitJob(jobRequest())
const submit = () => store.submitJob(jobRequest())
// What is compiled, and a thread that begins, is not measured.
await callsPerSecond(Number(callers), 1, submit)

const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
const late = []
let isOver = false
const asking = ask()
delays.enable()
const perSecond = await callsPerSecond(Number(callers), Number(seconds), submit)
delays.disable()
isOver = true
await asking
const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
process.stdout.write(
  JSON.stringify({
    perSecond,
    loopP50: ms(delays.percentile(50)),
    loopP99: ms(delays.percentile(99)),
    loopMost: ms(delays.max),
    waitP99: late.sort((a, b) => a - b)[Math.floor(late.length * 0.99)],
    mebibytes: process.memoryUsage.rss() / 2 ** 20,
  }),
)
await store.close()

/**
 * Asks for a job again and again, as a client beside the callers would, and notes by how much each answer was late.
 */
async function ask() {
  while (!isOver) {
    const due = performance.now() + ASK_EVERY_MS
    await delay(ASK_EVERY_MS)
    await store.getJob(job.id)
    late.push(performance.now() - due)
  }
}
