// A process of its own that removes and archives until it is killed. Arguments: the path of the store, the directory
// of the archive.
import { applyRetention, openArchive } from '@saltcod/compaction'
import { openLmdbJobStore } from '@saltcod/store-lmdb'

const [path, directory] = process.argv.slice(2)
const store = await openLmdbJobStore({ path })
const archive = await openArchive(directory, { segmentBytes: 20_000 })
process.stdout.write('ready\n')
const report = await applyRetention(store, [{ maxCount: 5 }], {
  archive,
  batchRecords: 4,
  clockConfirmed: true,
  onProgress: ({ removed }) => process.stdout.write(`removed ${removed}\n`),
})
process.stdout.write(`done ${report.removed}\n`)
await store.close()
