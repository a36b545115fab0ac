import { join } from 'node:path'
import { expect, test } from 'vitest'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { testSeed } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { CompactionStatus } from '../../src/compaction/compaction-report.ts'
import { gatedJob, loudJob, noopJob } from './chaos-jobs.ts'
import { ContestedNode } from './contested-node.ts'
import { type Footprint, footprintOf, type OpenFiles, openFilesOf, probedEnvironment } from './footprint.ts'
import { ATTACKS, type Victim } from './hostile-client.ts'
import { LingeringClients } from './lingering-clients.ts'

const SEED = testSeed()
const MINUTES = Number(process.env['SALTCOD_HOSTILE_MINUTES'] ?? 0)
const ROUNDS = MINUTES > 0 ? 5 : 2
const AT_ONCE = 8
const OPEN_FILES = 512
/** More connections than a node can have with so many open files. */
const LINGERING = 400
const LOG_BYTES = 5_000_000
const KEPT_JOBS = 20
/** From then on everything has been used that serving uses, and compiled. */
const WARM_CYCLES = 5
/** What may come and go between two looks: live objects by what is in caches, other memory by how it is cut up. */
const MORE_LIVE_BYTES = 8 * 1024 * 1024
const MORE_PRIVATE_BYTES = 96 * 1024 * 1024
/** Connections of the test's own requests. */
const MORE_SOCKETS = 8
const CONFIG = { Compaction: { Rewrite: { AtStart: false } }, Node: { Compute: { MaxRunning: 8 } } }
const FAILURE = /"level":(50|60)/
/** A machine that has much else to do is slow. */
const PATIENCE = { timeout: 300_000 }

/**
 * Waits until a node has given back what its clients took: all connections, and of other files what it did not have
 * before.
 */
async function untilGivenBack(node: ContestedNode, before: OpenFiles): Promise<void> {
  const { socket: sockets = 0 } = before
  await expect.poll(() => openFilesOf(node.pid)['socket'] ?? 0, PATIENCE).toBeLessThan(sockets + MORE_SOCKETS)
  await expect.poll(() => ({ ...openFilesOf(node.pid), socket: sockets }), PATIENCE).toEqual(before)
}

/** Rewrites both stores and has what is old removed, and waits for the end of it. */
async function careFor(node: ContestedNode): Promise<void> {
  expect((await node.request('POST', 'saltcod/gc', { maxCount: KEPT_JOBS })).status).toBe(200)
  expect((await node.request('POST', 'saltcod/compact')).status).toBe(200)
  await expect.poll(async () => (await compaction(node)).running, PATIENCE).toBe(false)
  // One of the requests that are made up stops it.
  expect([undefined, 'ABORTED']).toContain((await compaction(node)).error?.code)
}

async function compaction(node: ContestedNode): Promise<CompactionStatus> {
  return (await (await node.request('GET', 'saltcod/compact')).json()) as CompactionStatus
}

/**
 * Takes all connections that a node lets its clients have, and attacks it then in every way. Returns how many it had.
 */
async function attackAll(node: ContestedNode, victim: Victim, lingering: LingeringClients): Promise<number> {
  let sockets = 0
  const filled = async (): Promise<number> => {
    await lingering.fill(LINGERING)
    sockets = Math.max(sockets, openFilesOf(node.pid)['socket'] ?? 0)
    return sockets
  }
  await expect.poll(filled, PATIENCE).toBeGreaterThan(OPEN_FILES / 3)
  for (const [name, attack] of ATTACKS) {
    for (let round = 0; round < ROUNDS; round++) {
      await filled()
      await Promise.all(Array.from({ length: AT_ONCE }, () => attack(victim)))
    }
    expect((await node.request('GET', 'agent/alive')).status, `${name}, seed ${SEED}`).toBe(200)
    expect(node.log, `${name}, seed ${SEED}`).not.toMatch(FAILURE)
  }
  return sockets
}

test(`whatever a client does to its connection, the node goes on (seed ${SEED})`, {
  timeout: MINUTES * 60_000 + 600_000,
}, async () => {
  const directory = temporaryDirectory()
  const probed = probedEnvironment(directory)
  const limited = ['prlimit', `--nofile=${OPEN_FILES}`]
  const node = new ContestedNode(join(directory, 'repo'), ['--allow-exec'], CONFIG, probed, limited)
  await node.start()
  const jobId = await node.submit(gatedJob('waiting', 'none', join(directory, 'gate')))
  const loudId = await node.submit(loudJob('loud', LOG_BYTES))
  await node.until(jobId, 'Running')
  await node.until(loudId, 'Completed')
  await node.request('POST', `saltcod/jobs/${loudId}/hold`, { Reason: 'it is read' })
  await careFor(node)
  const before = openFilesOf(node.pid)
  const atFirst = await footprintOf(node, directory)
  const victim = { port: Number(new URL(await node.url()).port), jobId, random: randomNumbers(SEED) }
  const endMs = Date.now() + MINUTES * 60_000
  const footprints: Footprint[] = []
  let cycles = 0
  let jobs = 0
  if (MINUTES > 0) process.stdout.write(`${JSON.stringify(atFirst)}\n`)
  do {
    const lingering = new LingeringClients(victim.port, loudId)
    let attacking = true
    const work = async (): Promise<void> => {
      while (attacking) {
        for (const job of [noopJob('batch', '', 0), loudJob('', 1_000)]) {
          await node.until(await node.submit(job), 'Completed')
          jobs += 1
        }
        await careFor(node)
      }
    }
    const attack = attackAll(node, victim, lingering).finally(() => {
      attacking = false
    })
    const [sockets] = await Promise.all([attack, work()])
    lingering.close()
    cycles += 1
    if (MINUTES > 0 && cycles % WARM_CYCLES === 0) {
      await untilGivenBack(node, before)
      const footprint = await footprintOf(node, directory)
      footprints.push(footprint)
      const attacks = cycles * ATTACKS.size * ROUNDS * AT_ONCE
      const figures = { cycles, attacks, jobs, sockets, repeated: node.repeated, ...footprint }
      process.stdout.write(`${JSON.stringify(figures)}\n`)
    }
  } while (Date.now() < endMs)
  await untilGivenBack(node, before)
  const after = await footprintOf(node, directory)
  const warm = footprints[0] ?? after
  expect(after.liveBytes, JSON.stringify({ warm, after })).toBeLessThan(warm.liveBytes + MORE_LIVE_BYTES)
  expect(after.privateBytes).toBeLessThan(warm.privateBytes + MORE_PRIVATE_BYTES)
  await node.until(await node.submit(noopJob('batch', '', 0)), 'Completed')
  await node.request('DELETE', `orchestrator/jobs/${jobId}`)
  await node.until(jobId, 'Stopped')
  expect(node.log, `seed ${SEED}`).not.toMatch(FAILURE)
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})
