// Opens a store for writing and submits jobs, one after the other, until its input ends. Prints a line when it is
// ready and, at the end, how many jobs it submitted.
import { setTimeout } from 'node:timers/promises'
import { openLmdbJobStore } from '@saltcod/store-lmdb'

const [path, pause, round] = process.argv.slice(2)
const store = await openLmdbJobStore({ path, nodeId: 'n-1' })
let stopped = false
process.stdin.on('end', () => {
  stopped = true
})
process.stdin.resume()
process.stdout.write('ready\n')
let submitted = 0
while (!stopped) {
  if (pause === 'idle') await setTimeout(20)
  else {
    const jobId = round === '0' ? `written-${submitted}` : `written-${round}-${submitted}`
    await store.submitJob({ id: jobId, name: jobId, type: 'batch', spec: { number: submitted } })
    await store.transitionJob({ jobId, to: 'Running' })
    submitted += 1
    // Leaves some of the processor to whoever looks on.
    await setTimeout(5)
  }
}
await store.close()
process.stdout.write(`${submitted}\n`)
