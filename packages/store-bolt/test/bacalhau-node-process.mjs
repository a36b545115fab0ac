// Runs an official node in the network namespace of this process, reads its files while jobs are submitted, starts it
// again while they are read, and prints what happened: bacalhau-node-process.mjs DIRECTORY ROUNDS
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkBolt, openBoltFile } from '../dist/index.js'

const [directory, rounds] = process.argv.slice(2)
const official = process.env['OFFICIAL']
const api = 'http://127.0.0.1:1341/api/v1'
const files = ['orchestrator', 'compute'].map((role) => join(directory, role, 'state_boltdb.db'))
const told = { checks: 0, tooFast: 0, rows: 0, jobs: 0, startsBesideReader: 0, errors: [] }

execFileSync('ip', ['link', 'set', 'lo', 'up'])
let node = await startNode()
let submitting = true
const submitted = submitJobs()
for (let round = 0; round < Number(rounds); round += 1) await readAll()
submitting = false
await submitted
await stopNode()
let reading = true
const readers = readWhile()
node = await startNode()
told.startsBesideReader += 1
reading = false
await readers
await stopNode()
process.stdout.write(`${JSON.stringify(told)}\n`)

async function startNode() {
  const child = spawn(
    official,
    [
      '1.9.3',
      'serve',
      '--data-dir',
      directory,
      '-c',
      join(dirname(official), 'node-1.9.3.yaml'),
      '--name',
      'peer',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const log = createWriteStream(join(directory, 'node.log'), { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}`)
    const alive = await fetch(`${api}/agent/alive`).catch(() => undefined)
    if (alive?.ok === true) return child
    await sleep(100)
  }
  child.kill('SIGKILL')
  throw new Error('the node does not answer')
}

async function stopNode() {
  const exit = once(node, 'exit')
  node.kill('SIGTERM')
  await exit
}

async function submitJobs() {
  while (submitting) {
    const task = { Name: 'main', Engine: { Type: 'noop', Params: {} }, Publisher: { Type: 'noop' } }
    const job = { Name: `noop-${told.jobs}`, Namespace: 'default', Type: 'batch', Count: 1, Tasks: [task] }
    const answer = await fetch(`${api}/orchestrator/jobs`, {
      method: 'PUT',
      body: JSON.stringify({ Job: job }),
      headers: { 'content-type': 'application/json' },
    })
    await answer.arrayBuffer()
    if (answer.ok) told.jobs += 1
    else told.errors.push(`a job was answered with ${answer.status}`)
  }
}

async function readWhile() {
  while (reading) await readAll()
}

async function readAll() {
  for (const path of files) {
    const file = await openBoltFile(path)
    try {
      const report = await file.read(checkBolt)
      told.checks += 1
      told.errors.push(...report.findings.map(({ page, what }) => `${path}: page ${page}: ${what}`))
    } catch (error) {
      if (error.code === 'STORE_CHANGING') told.tooFast += 1
      else told.errors.push(`${path}: ${error.message}`)
    }
    try {
      for await (const { values } of file.pieces([], ({ key, bucket }) => [
        key.toString(),
        ...(bucket?.keys({ limit: 20 }) ?? []),
      ])) {
        told.rows += values.length
      }
    } catch (error) {
      told.errors.push(`${path}: ${error.message}`)
    } finally {
      await file.close()
    }
  }
  // The submissions of this process go on.
  await sleep(5)
}
