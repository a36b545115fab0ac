// Runs an official node in the network namespace of this process, reads its files while jobs are submitted, starts it
// again while they are read, and prints what happened: bacalhau-node-process.mjs DIRECTORY ROUNDS
import { setTimeout as sleep } from 'node:timers/promises'
import { BacalhauNode } from '../../../test/bacalhau-node.mjs'
import { checkBolt, openBoltFile } from '../dist/index.js'

const [directory, rounds] = process.argv.slice(2)
const node = new BacalhauNode(directory, process.env['OFFICIAL'])
const told = { checks: 0, tooFast: 0, rows: 0, startsBesideReader: 0 }

await node.start()
await node.submitWhile(async () => {
  for (let round = 0; round < Number(rounds); round += 1) await readAll()
})
await node.stop()
let reading = true
const readers = readWhile()
await node.start()
told.startsBesideReader += 1
reading = false
await readers
await node.stop()
process.stdout.write(`${JSON.stringify({ ...told, jobs: node.jobs, errors: node.errors })}\n`)

async function readWhile() {
  while (reading) await readAll()
}

async function readAll() {
  for (const path of node.files) {
    const file = await openBoltFile(path)
    try {
      const report = await file.read(checkBolt)
      told.checks += 1
      node.errors.push(...report.findings.map(({ page, what }) => `${path}: page ${page}: ${what}`))
    } catch (error) {
      if (error.code === 'STORE_CHANGING') told.tooFast += 1
      else node.errors.push(`${path}: ${error.message}`)
    }
    try {
      for await (const { values } of file.pieces([], ({ key, bucket }) => [
        key.toString(),
        ...(bucket?.keys({ limit: 20 }) ?? []),
      ])) {
        told.rows += values.length
      }
    } catch (error) {
      node.errors.push(`${path}: ${error.message}`)
    } finally {
      await file.close()
    }
  }
  // The submissions of this process go on.
  await sleep(5)
}
