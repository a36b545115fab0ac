import { openLmdbJobStore } from '@saltcod/store-lmdb'

// Reads the store of another process as an inspector does: pages of jobs, jobs with their history, the feed.

const store = await openLmdbJobStore({ path: process.argv[2], readOnly: true })
const done = { pages: 0, jobs: 0, changes: 0, gaps: 0 }
let running = true
process.on('message', () => {
  running = false
})
process.on('disconnect', () => {
  running = false
})

let after = null
let cursor = null
let reportedAt = 0
while (running) {
  const page = await store.listJobs({ limit: 50, cursor })
  cursor = page.next
  done.pages += 1
  for (const { id } of page.items.slice(0, 5)) {
    await store.listHistory({ jobId: id, limit: 100 })
    done.jobs += 1
  }
  const feed = await store.changes({ after, limit: 500 })
  after = feed.cursor
  done.changes += feed.changeSets.length
  if (feed.gap !== null) done.gaps += 1
  if (Date.now() - reportedAt > 1_000) {
    reportedAt = Date.now()
    process.send?.(done)
  }
  // Looking must leave the processor to the work.
  await new Promise((resolve) => setTimeout(resolve, 20))
}
await store.close()
process.disconnect()
