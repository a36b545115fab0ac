import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { fillDisk, smallDisk } from '../../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { AttackedNode } from './attacked-node.ts'
import { checkStores } from './stores-of.ts'

const SERVICES = 30
/** Bacalhau's number of the state. */
const RUNNING = 6

function service(number: number): object {
  return {
    Name: `service-${number}`,
    Type: 'service',
    Count: 1,
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'noop', Params: { DurationMs: 3_600_000 } },
        Resources: { CPU: '10m', Memory: '1mb', Disk: '', GPU: '' },
      },
    ],
  }
}

function job(bytes: number): object {
  return {
    Type: 'batch',
    Meta: { padding: 'x'.repeat(bytes) },
    Tasks: [{ Name: 'main', Engine: { Type: 'noop', Params: {} } }],
  }
}

/** Submits large jobs, then small ones, each kind until the node refuses. */
async function fillStore(node: AttackedNode): Promise<void> {
  for (const bytes of [400_000, 20_000, 10]) {
    for (let taken = 0; ; taken++) {
      const response = await node.request('PUT', 'orchestrator/jobs', { Job: job(bytes) })
      await response.text()
      if (response.status === 507) break
      expect(response.status).toBe(200)
      expect(taken, 'the store is full, but jobs are taken without an end').toBeLessThan(1_000)
    }
  }
}

function runningExecutions(answer: WireGetJobAnswer): number {
  const { Items } = answer.Executions ?? {}
  return (Items ?? []).filter(({ ComputeState }) => ComputeState.StateType === RUNNING).length
}

async function untilRunning(node: AttackedNode, id: string, wanted: number): Promise<void> {
  const endMs = Date.now() + 30_000
  while (runningExecutions(await node.job(id)) !== wanted) {
    expect(Date.now(), `${id} has ${wanted} running executions`).toBeLessThan(endMs)
    await delay(20)
  }
}

test.each(['quota', 'disk'] as const)(
  'a store that is full by its %s takes every stop and lets gc make room',
  { timeout: 180_000 },
  async (limit) => {
    const disk = limit === 'disk' ? smallDisk('200m') : undefined
    // Where none may be mounted the quota has to do.
    const full = disk === undefined ? { Quota: { StoreSize: '32MiB' } } : {}
    const running = { Node: { Compute: { MaxRunning: SERVICES } } }
    const node = new AttackedNode(join(disk ?? temporaryDirectory(), 'repo'), [], { ...running, ...full })
    await node.start()
    const ids: string[] = []
    for (let number = 0; number < SERVICES; number++) ids.push(await node.submit(service(number)))
    for (const id of ids) await untilRunning(node, id, 1)

    if (disk !== undefined) fillDisk(join(disk, 'ballast'))
    await fillStore(node)
    const answers = await Promise.all(ids.map((id) => node.request('DELETE', `orchestrator/jobs/${id}`)))
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200))
    for (const id of ids) {
      await node.until(id, 'Stopped')
      await untilRunning(node, id, 0)
    }

    const gc = async (): Promise<void> => {
      const done = await node.request('POST', 'saltcod/gc', { namespace: 'default', maxCount: 0 })
      expect([done.status, await done.json()]).toMatchObject([200, { overdueSeconds: 0 }])
    }
    await gc()
    const last = await node.submit({ ...job(10), Namespace: 'kept' })
    // Those that waited may take all of the room again before its turn comes.
    await eventually('a job ends where gc makes room', async () => {
      if ((await node.job(last)).Job.State.StateType === 'Completed') return true
      await gc()
      return false
    })
    expect(node.log).not.toMatch(/"level":60/)
    expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
    await checkStores(node.repository)
  },
)
