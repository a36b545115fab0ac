import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { temporaryDirectory } from '../cli/binary.ts'
import { AttackedNode, waitFor } from './attacked-node.ts'
import { gatedJob, noopJob } from './chaos-jobs.ts'
import { ATTACKS } from './hostile-client.ts'

const SEED = Number(process.env['SALTCOD_SEED'] ?? Date.now() % 1_000_000)
const MINUTES = Number(process.env['SALTCOD_HOSTILE_MINUTES'] ?? 0)
const ROUNDS = 5
const AT_ONCE = 8
const IDLE = 300
/** What a process may keep of memory and descriptors when its clients are gone: its caches, and what was not collected yet. */
const MORE_BYTES = 96 * 1024 * 1024
const MORE_FILES = 8

interface Footprint {
  readonly residentBytes: number
  readonly openFiles: number
}

function footprintOf(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const residentBytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024
  return { residentBytes, openFiles: readdirSync(`/proc/${pid}/fd`).length }
}

/** Opens connections and says nothing on them, or a part of a head. */
function idleConnections(port: number, count: number): Socket[] {
  return Array.from({ length: count }, (_, n) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    if (n % 2 === 0) socket.write('GET /slow HTTP/1.1\r\nHost: loc')
    return socket
  })
}

test(`whatever a client does to its connection, the node goes on (seed ${SEED})`, {
  timeout: MINUTES * 60_000 + 120_000,
}, async () => {
  const directory = temporaryDirectory()
  const node = new AttackedNode(join(directory, 'repo'), ['--allow-exec'])
  await node.start()
  const jobId = await node.submit(gatedJob('waiting', 'none', join(directory, 'gate')))
  await node.until(jobId, 'Running')
  const port = Number(new URL(await node.url()).port)
  const random = randomNumbers(SEED)
  const endMs = Date.now() + MINUTES * 60_000
  const files = footprintOf(node.pid).openFiles
  let warm: Footprint | undefined
  let attacks = 0
  let jobs = 0
  do {
    const idle = idleConnections(port, IDLE)
    for (const [name, attack] of ATTACKS) {
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all(Array.from({ length: AT_ONCE }, () => attack({ port, jobId, random })))
        attacks += AT_ONCE
      }
      expect((await node.request('GET', 'agent/alive')).status, `${name}, seed ${SEED}`).toBe(200)
    }
    for (const socket of idle) socket.destroy()
    await node.until(await node.submit(noopJob('batch', '', 0)), 'Completed')
    jobs += 1
    // What the first ones took is what serving takes.
    warm ??= footprintOf(node.pid)
  } while (Date.now() < endMs)
  await waitFor('the descriptors are given back', () => {
    return footprintOf(node.pid).openFiles <= files + MORE_FILES
  })
  const after = footprintOf(node.pid)
  if (MINUTES > 0) process.stdout.write(`${JSON.stringify({ attacks, jobs, files, warm, after })}\n`)
  expect(after.residentBytes).toBeLessThan((warm?.residentBytes ?? 0) + MORE_BYTES)
  await node.until(await node.submit(noopJob('batch', '', 0)), 'Completed')
  await node.request('DELETE', `orchestrator/jobs/${jobId}`)
  await node.until(jobId, 'Stopped')
  expect(node.log, `seed ${SEED}`).not.toMatch(/"level":(50|60)/)
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})
