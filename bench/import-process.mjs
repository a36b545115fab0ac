// Imports a file that has the layout of Bacalhau 1.9 and says how fast and in how much memory:
// import-process.mjs [JOBS [EXECUTIONS]]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { buildPeer, startPeer } from './peer.mjs'

const LOOK_MS = 100
const [jobs = 100_000, count = jobs * 10] = process.argv.slice(2).map(Number)
const worker = fileURLToPath(new URL('../apps/inspect/dist/worker-main.js', import.meta.url))
const directory = await mkdtemp(join(tmpdir(), 'saltcod-bench-'))
try {
  const { binary, missing } = await buildPeer(directory)
  if (missing === undefined) await measure(binary)
  else console.log(missing)
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function measure(binary) {
  const source = join(directory, 'source')
  await mkdir(join(source, 'orchestrator'), { recursive: true })
  const path = join(source, 'orchestrator', 'state_boltdb.db')
  const peer = await startPeer([binary])
  await peer.request('fill-bolt', { path, jobs, count })
  await peer.stop()
  console.log(`${jobs} jobs, ${count} executions, ${mebibytes((await stat(path)).size)}`)
  const start = performance.now()
  const to = join(directory, 'repository')
  const child = spawn(
    process.execPath,
    [worker, 'import', source, '--to', to, '--apply', '--output', 'json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const ended = once(child, 'close')
  let ownBytes = 0
  while (child.exitCode === null && child.signalCode === null) {
    ownBytes = Math.max(ownBytes, await anonymousBytes(child.pid))
    await sleep(LOOK_MS)
  }
  await ended
  if (child.exitCode !== 0) throw new Error(`the import ended with ${child.exitCode ?? child.signalCode}`)
  const seconds = (performance.now() - start) / 1_000
  const { counts } = JSON.parse(output)
  const records = counts.jobs + counts.executions + counts.history
  console.log(
    `${records} records in ${seconds.toFixed(1)} s, ${Math.round(records / seconds)} a second, at most ${mebibytes(ownBytes)} of its own memory, stores of ${mebibytes(counts.bytes)}`,
  )
}

/** The pages of the store that it looks at belong to the kernel. */
async function anonymousBytes(pid) {
  const text = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')
  return Number(/^RssAnon:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1_024
}

function mebibytes(bytes) {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}
