// Reads every value of a BoltDB file in pieces and prints what that took: bolt-walk-process.mjs PATH [parse]
import { openBoltFile } from '@saltcod/store-bolt'

const [path, parse] = process.argv.slice(2)
const start = performance.now()
const file = await openBoltFile(path, { reusesMemory: true })
const result = { rows: 0, bytes: 0, sum: 0 }

function count(found, { key, value }) {
  found.rows += 1
  found.bytes += key.length + value.length
  if (value.length === 0) return
  found.sum += value[value.length - 1] + value[value.length >> 1]
  if (parse === 'parse' && value[0] === 0x7b) JSON.parse(value.toString())
}

function countBucket(found, bucket) {
  for (const row of bucket.rows()) {
    if (row.bucket === null) count(found, row)
    else countBucket(found, row.bucket)
  }
}

const names = await file.read(({ root }) => [...root.keys()].map(({ key }) => Buffer.from(key)))
for (const name of names) {
  const pieces = file.pieces([name], (row) => {
    const found = { rows: 0, bytes: 0, sum: 0 }
    if (row.bucket === null) count(found, row)
    else countBucket(found, row.bucket)
    return found
  })
  for await (const { values } of pieces) {
    for (const { rows, bytes, sum } of values) {
      result.rows += rows
      result.bytes += bytes
      result.sum += sum
    }
  }
}
await file.close()
const seconds = (performance.now() - start) / 1_000
const peakBytes = process.resourceUsage().maxRSS * 1_024
process.stdout.write(`${JSON.stringify({ seconds, ...result, sum: result.sum >>> 0, peakBytes })}\n`)
