// Compares how this project and Go's bbolt read the same BoltDB file: bolt-process.mjs [JOBS [EXECUTIONS [FILE]]]
// FILE is used where it is there, and made where it is not.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildPeer, startPeer } from './peer.mjs'
import { median } from './rounds.mjs'

const run = promisify(execFile)
const [jobs = 100_000, count = jobs * 10] = process.argv.slice(2, 4).map(Number)
const [, , , , file] = process.argv
const ROUNDS = 5
const walk = fileURLToPath(new URL('./bolt-walk-process.mjs', import.meta.url))
const directory = await mkdtemp(join(tmpdir(), 'saltcod-bench-'))
try {
  const { binary, missing, versions } = await buildPeer(directory)
  if (missing === undefined) await compare(binary, versions)
  else console.log(missing)
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function compare(binary, versions) {
  const peer = await startPeer([binary])
  const path = file ?? join(directory, 'state_boltdb.db')
  if (!existsSync(path)) await peer.request('fill-bolt', { path, jobs, count })
  const { size } = await stat(path)
  console.log(
    `${jobs} jobs, ${count} executions, ${Math.round(size / 2 ** 20)} MiB; ${versions.go}, bbolt ${versions.bbolt}`,
  )
  for (const parse of [false, true]) {
    const times = { theirs: [], ours: [] }
    let peakBytes = 0
    // The first round fills the cache of the kernel for both.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const theirs = await peer.request('walk-bolt', { path, parse })
      const { stdout } = await run(process.execPath, [walk, path, ...(parse ? ['parse'] : [])])
      const ours = JSON.parse(stdout)
      for (const field of ['rows', 'bytes', 'sum']) {
        if (ours[field] !== theirs[field])
          throw new Error(`${field}: ${ours[field]}, and Go has ${theirs[field]}`)
      }
      if (round === 0) continue
      times.theirs.push(theirs.seconds)
      times.ours.push(ours.seconds)
      peakBytes = Math.max(peakBytes, ours.peakBytes)
    }
    const [theirs, ours] = [median(times.theirs), median(times.ours)]
    const what = parse ? 'read and decoded' : 'read'
    console.log(
      `every value ${what}: Go ${theirs.toFixed(2)} s, ours ${ours.toFixed(2)} s, ratio ${(ours / theirs).toFixed(2)}, peak ${Math.round(peakBytes / 2 ** 20)} MiB`,
    )
  }
  await peer.stop()
}
