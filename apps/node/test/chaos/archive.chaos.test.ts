import { readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireError, WireJob, WirePage } from '@saltcod/bacalhau-records'
import { openArchive } from '@saltcod/compaction'
import { expect, test } from 'vitest'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { fillDisk, smallDisk } from '../../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { GcReport } from '../../src/retention/gc-report.ts'
import { AttackedNode } from './attacked-node.ts'
import { checkStores, storePaths } from './stores-of.ts'

const KILLS = IS_LONG ? 60 : 1
const JOBS = 25
const SEED = testSeed()

function noop(name: string): object {
  return { Name: name, Type: 'batch', Tasks: [{ Name: 'main', Engine: { Type: 'noop', Params: {} } }] }
}

function archiving(repository: string, archive: string): AttackedNode {
  return new AttackedNode(repository, [], { Node: { Requester: { Archive: { Directory: archive } } } })
}

async function jobIds(node: AttackedNode): Promise<string[]> {
  const response = await node.request('GET', 'orchestrator/jobs?limit=1000')
  return ((await response.json()) as WirePage<WireJob>).Items.map(({ ID }) => ID)
}

async function endedJobs(node: AttackedNode, round: number): Promise<string[]> {
  const names = Array.from({ length: JOBS }, (_, at) => noop(`job-${round}-${at}`))
  const ids = await Promise.all(names.map((job) => node.submit(job)))
  for (const id of ids) await node.until(id, 'Completed')
  return ids
}

test(`a node that is killed while it archives, removes and rewrites loses no job (seed ${SEED})`, {
  timeout: 600_000,
}, async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'archive')
  const node = archiving(join(directory, 'repo'), path)
  const next = randomNumbers(SEED)
  const taken: string[] = []
  await node.start()
  for (let kill = 0; kill < KILLS; kill++) {
    taken.push(...(await endedJobs(node, kill)))
    const gc = node.request('POST', 'saltcod/gc', { maxCount: 0 }).catch(() => null)
    const rewriting = node.request('POST', 'saltcod/compact').catch(() => null)
    await delay(next() * 80)
    await node.kill()
    await Promise.all([gc, rewriting])
    const archived = new Set<string>()
    const archive = await openArchive(path, { readOnly: true })
    for await (const { id } of archive.list()) archived.add(id)
    expect((await archive.verify()).problems).toEqual([])
    await node.start()
    const there = new Set(await jobIds(node))
    expect(taken.filter((id) => !there.has(id) && !archived.has(id))).toEqual([])
  }
  const last = await node.request('POST', 'saltcod/gc', { maxCount: 0 })
  expect(((await last.json()) as GcReport).complete).toBe(true)
  expect(await jobIds(node)).toEqual([])
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
  const archive = await openArchive(path, { readOnly: true })
  for (const id of taken) {
    const whole = await archive.get(id)
    expect(whole?.versions.at(-1)?.state).toBe('Completed')
    expect(whole?.history.at(-1)?.newState).toBe('Completed')
  }
  await checkStores(node.repository)
  for (const store of Object.values(storePaths(node.repository))) {
    const others = readdirSync(dirname(store)).filter((name) => name.startsWith(basename(store)))
    const known = [basename(store), `${basename(store)}-lock`, `${basename(store)}.owner`]
    expect(others.filter((name) => !known.includes(name))).toEqual([])
  }
})

test('a full disk under the archive removes nothing, says so, and leaves nothing behind', async (context) => {
  const disk = smallDisk('2m')
  if (disk === undefined) {
    context.skip('mounting a small file system is not permitted here')
    return
  }
  const path = join(disk, 'archive')
  const node = archiving(join(temporaryDirectory(), 'repo'), path)
  await node.start()
  const ids = await endedJobs(node, 0)
  const ballast = join(disk, 'ballast')
  fillDisk(ballast)
  const before = sizes(path)
  const refused = await node.request('POST', 'saltcod/gc', { maxCount: 0 })
  const error = (await refused.json()) as WireError
  expect([refused.status, error.Code]).toEqual([507, 'ResourceExhausted'])
  expect(error.Message).toMatch(/no room left for the archive/)
  expect(error.Hint).toMatch(/make room/)
  expect(sizes(path)).toEqual(before)
  expect((await jobIds(node)).sort()).toEqual([...ids].sort())
  await node.until(await node.submit(noop('goes-on')), 'Completed')

  rmSync(ballast)
  const done = (await (await node.request('POST', 'saltcod/gc', { maxCount: 0 })).json()) as GcReport
  expect([done.removedJobs, done.archivedJobs]).toEqual([JOBS + 1, JOBS + 1])
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
  const archive = await openArchive(path, { readOnly: true })
  expect(await archive.verify()).toMatchObject({ jobs: JOBS + 1, problems: [] })
  expect(node.log).toMatch(/no room left for the archive/)
})

function sizes(path: string): Record<string, number> {
  return Object.fromEntries(readdirSync(path).map((name) => [name, statSync(join(path, name)).size]))
}
