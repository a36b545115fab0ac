// Reads all of a BoltDB file in each way and prints how much there was, and the most memory that it took:
// reading-process.mjs PATH
import { boltPages, boltStatistics, checkBolt, openBoltFile } from '../dist/index.js'

const [path] = process.argv.slice(2)
const file = await openBoltFile(path)
const told = { inPieces: 0, atOnce: 0, keys: 0, findings: 0, peakBytes: 0 }

function rowsOf(bucket) {
  let rows = 0
  for (const row of bucket.rows()) rows += row.bucket === null ? 1 : rowsOf(row.bucket)
  return rows
}

const visit = ({ bucket }) => (bucket === null ? 1 : rowsOf(bucket))
for await (const { values } of file.pieces(['many'], visit)) {
  for (const rows of values) told.inPieces += rows
}
told.atOnce = await file.read(({ root }) => rowsOf(root))
told.keys = (await file.read(boltStatistics)).keys
told.findings = (await file.read(checkBolt)).findingCount
for (const { kind } of await file.read(boltPages)) if (kind === 'unreadable') told.findings += 1
await file.close()
told.peakBytes = process.resourceUsage().maxRSS * 1_024
process.stdout.write(`${JSON.stringify(told)}\n`)
