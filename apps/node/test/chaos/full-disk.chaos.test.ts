import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireError, WirePutJobAnswer } from '@saltcod/bacalhau-records'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { IS_LONG } from '../../../../test/seed.ts'
import { fillDisk, smallDisk } from '../../../../test/small-disk.ts'
import type { CompactionStatus } from '../../src/compaction/compaction-report.ts'
import { saltcod } from '../cli/binary.ts'
import { AttackedNode } from './attacked-node.ts'
import { shellJob } from './chaos-jobs.ts'
import { checkStores, storePaths } from './stores-of.ts'

/** Each round leaves the store some megabytes larger, so a disk is good for so many. */
const ROUNDS = IS_LONG ? 10 : 2
const DISKS = IS_LONG ? 5 : 1
const SPEC_BYTES = 400_000

function largeJob(): object {
  return {
    Type: 'batch',
    Meta: { padding: 'x'.repeat(SPEC_BYTES) },
    Tasks: [{ Name: 'main', Engine: { Type: 'noop', Params: {} } }],
  }
}

/** Submits, four at a time, until the node refuses; returns what was taken, and the refusal. */
async function submitUntilFull(
  node: AttackedNode,
): Promise<{ readonly ids: string[]; readonly refusal: WireError }> {
  const ids: string[] = []
  let refusal: WireError | undefined
  const submitOn = async (): Promise<void> => {
    while (refusal === undefined) {
      const response = await node.request('PUT', 'orchestrator/jobs', { Job: largeJob() })
      const answer = (await response.json()) as WirePutJobAnswer & WireError
      if (response.status === 200) ids.push(answer.JobID)
      else refusal = answer
      expect(ids.length, 'the disk is full, but jobs are taken without an end').toBeLessThan(500)
    }
  }
  await Promise.all([submitOn(), submitOn(), submitOn(), submitOn()])
  if (refusal === undefined) throw new Error('nobody was refused')
  return { ids, refusal }
}

const disks = Array.from({ length: DISKS }, (_, at) => at + 1)

test.for(disks)(
  `disk %i, filled ${ROUNDS} times, is a clear error, reads go on, and writes resume`,
  {
    timeout: 300_000,
  },
  async (_, context) => {
    const disk = smallDisk('300m')
    if (disk === undefined) {
      context.skip('mounting a small file system is not permitted here')
      return
    }
    const node = new AttackedNode(join(disk, 'repo'))
    await node.start()
    const { Job } = await node.until(await node.submit(largeJob()), 'Completed')
    const taken: string[] = []
    const ballast = join(disk, 'ballast')
    for (let round = 0; round < ROUNDS; round++) {
      fillDisk(ballast)
      const { ids, refusal } = await submitUntilFull(node)
      taken.push(...ids)
      expect([refusal.Status, refusal.Code], JSON.stringify(refusal)).toEqual([507, 'ResourceExhausted'])
      expect(refusal.Message).toMatch(/full|space/)
      expect(refusal.Hint ?? '').not.toBe('')
      expect((await node.job(Job.ID)).Job.State.StateType).toBe('Completed')
      expect((await node.request('GET', 'orchestrator/jobs?limit=5')).status).toBe(200)
      rmSync(ballast)
      const again = await node.submit(largeJob())
      taken.push(again)
    }
    for (const id of taken) await node.until(id, 'Completed')
    expect(node.log).not.toMatch(/"level":60/)
    expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
    await checkStores(node.repository)
  },
)

test('a node that is killed and started on a full disk says so, and serves when there is space', async (context) => {
  const disk = smallDisk('300m')
  if (disk === undefined) {
    context.skip('mounting a small file system is not permitted here')
    return
  }
  const node = new AttackedNode(join(disk, 'repo'))
  await node.start()
  const ballast = join(disk, 'ballast')
  fillDisk(ballast)
  const { ids } = await submitUntilFull(node)
  await node.kill()
  node.spawn()
  // It may serve what it has, or refuse to start in one clear line; a native crash is neither.
  const url = await Promise.race([node.url().catch(() => null), node.ended.then(() => null)])
  if (url === null) {
    const end = await node.ended
    expect(end.signal, node.log).toBe(null)
    expect(node.log).toMatch(/\nError: [^\n]*(full|space)/)
  }
  rmSync(ballast)
  if (url === null) await node.start()
  for (const id of ids) await node.until(id, 'Completed')
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('a compaction without room for a second copy says so, changes nothing, and works when there is room', async (context) => {
  const disk = smallDisk('300m')
  if (disk === undefined) {
    context.skip('mounting a small file system is not permitted here')
    return
  }
  const node = new AttackedNode(join(disk, 'repo'), [], { Compaction: { Rewrite: { AtStart: false } } })
  await node.start()
  for (let jobs = 0; jobs < 12; jobs++) await node.until(await node.submit(largeJob()), 'Completed')
  await node.request('POST', 'saltcod/gc', { maxCount: 1 })
  const { jobs } = storePaths(node.repository)
  const ballast = join(disk, 'ballast')
  fillDisk(ballast)
  const files = readdirSync(dirname(jobs)).sort()
  const bytes = statSync(jobs).size
  const refused = await compacted(node)
  expect(refused.error).toMatchObject({ code: 'STORE_FULL' })
  expect(refused.error?.message).toMatch(/room|space|full/)
  expect(readdirSync(dirname(jobs)).sort()).toEqual(files)
  expect(statSync(jobs).size).toBe(bytes)
  expect((await node.request('GET', 'orchestrator/jobs')).status).toBe(200)

  rmSync(ballast)
  const done = await compacted(node)
  expect(done.error).toBe(null)
  expect(statSync(jobs).size).toBe(done.report?.stores[0]?.bytesAfter)
  expect(done.report?.bytesAfter).toBeLessThan(done.report?.bytesBefore ?? 0)
  await node.until(await node.submit(largeJob()), 'Completed')
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
  await checkStores(node.repository)
})

test('on a full disk a run waits where it is to, and one that begins all the same says what was lost', async (context) => {
  const disk = smallDisk('150m')
  if (disk === undefined) {
    context.skip('mounting a small file system is not permitted here')
    return
  }
  const ballast = join(disk, 'ballast')
  const job = shellJob('batch', 'writing', 'echo written')
  const logOf = async (node: AttackedNode, id: string): Promise<string> => {
    const { port } = new URL(await node.url())
    const { stdout, stderr } = await saltcod(['job', 'logs', id, '--port', port, '--repo', node.repository])
    return stdout + stderr
  }
  const node = new AttackedNode(join(disk, 'repo'), ['--allow-exec'], {
    Node: { Compute: { LeastFree: { Disk: '32MiB' } } },
  })
  await node.start()
  fillDisk(ballast)
  const id = await node.submit(job)
  await eventually('it says what it waits for', async () => {
    const { History } = await node.job(id)
    return (History?.Items ?? []).some(({ Event }) =>
      /the machine has 0 MiB of disk left, and 32 MiB of disk are kept free/.test(Event.Message),
    )
  })
  rmSync(ballast)
  await node.until(id, 'Completed')
  expect(await logOf(node, id)).toBe('written\n')
  await node.signal('SIGTERM')

  const careless = new AttackedNode(join(disk, 'repo'), ['--allow-exec'])
  await careless.start()
  fillDisk(ballast)
  const unheard = await careless.submit({ ...job, Name: 'unheard' })
  const { Executions } = await careless.until(unheard, 'Completed')
  expect(Executions?.Items[0]?.ComputeState.Message).toBe('Completed; not all that it wrote was kept')
  expect(await logOf(careless, unheard)).toMatch(
    /^\[saltcod: .* the disk was full, the rest was dropped\]\n$/,
  )
})

async function compacted(node: AttackedNode): Promise<CompactionStatus> {
  await node.request('POST', 'saltcod/compact')
  const endMs = Date.now() + 60_000
  for (;;) {
    const status = (await (await node.request('GET', 'saltcod/compact')).json()) as CompactionStatus
    if (!status.running) return status
    expect(Date.now(), 'the compaction ends').toBeLessThan(endMs)
    await delay(20)
  }
}
