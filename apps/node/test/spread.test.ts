import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { executionStateName, type WireExecution, type WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { eventually } from '../../../test/eventually.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { AttackedNode } from './chaos/attacked-node.ts'
import { shellJob } from './chaos/chaos-jobs.ts'
import { Cable } from './link/cable.ts'

/** Of a node with one core: two such jobs do not fit beside each other. */
const MOST = { CPU: '0.6', Memory: '20mb', Disk: '10mb' }
const LITTLE = { CPU: '0.1', Memory: '20mb', Disk: '10mb' }

const LIVE: ReadonlySet<string> = new Set(['New', 'AskForBid', 'BidAccepted', 'Running'])

function executionsOf({ Executions }: WireGetJobAnswer): readonly WireExecution[] {
  return Executions?.Items ?? []
}

/** The nodes of the executions of a job, each as often as it has one. */
function nodesOf(answer: WireGetJobAnswer, isMeant = (_: WireExecution): boolean => true): string[] {
  return executionsOf(answer)
    .filter(isMeant)
    .map(({ NodeID }) => NodeID)
    .toSorted()
}

const isLive = ({ ComputeState }: WireExecution): boolean =>
  LIVE.has(executionStateName(ComputeState.StateType))

test('jobs spread over three nodes, wait for room, go elsewhere, and run on a node that comes late', {
  timeout: 120_000,
}, async () => {
  const directory = temporaryDirectory()
  const requester = new AttackedNode(join(directory, 'requester'), ['--node-type', 'requester'])
  await requester.start()
  const cables: Cable[] = []
  const enter = async (name: string): Promise<void> => {
    const cable = new Cable(Math.random)
    cable.target = await requester.url()
    cables.push(cable)
    const flags = ['--node-type', 'compute', '--node-id', name, '--allow-exec']
    const config = { Node: { Compute: { Capacity: { CPU: 1 } } } }
    const node = new AttackedNode(
      join(directory, name),
      [...flags, '--orchestrators', await cable.start()],
      config,
    )
    await node.start()
  }
  await Promise.all(['n-1', 'n-2', 'n-3'].map(enter))
  const connected = async (): Promise<number> => {
    const answer = await requester.request('GET', 'orchestrator/nodes?filter-status=connected')
    return ((await answer.json()) as { readonly Nodes: readonly unknown[] }).Nodes.length
  }
  await eventually('three nodes are there', async () => (await connected()) === 3)

  const until = (name: string): string => `while [ ! -e ${directory}/${name} ]; do sleep 0.05; done`
  const three = await requester.submit({
    ...shellJob('batch', 'three', until('first'), { Resources: MOST }),
    Count: 3,
  })
  const spread = await requester.until(three, 'Running')
  assert.deepEqual(nodesOf(spread), ['n-1', 'n-2', 'n-3'])
  const why = spread.History?.Items.map(({ Event }) => Event.Message).join('\n') ?? ''
  assert.match(why, /Requested execution on n-\d: of 3 nodes that can do it all have room/)

  const waiting = await requester.submit(shellJob('batch', 'waiting', until('second'), { Resources: MOST }))
  const queued = await requester.until(waiting, 'Queued')
  assert.match(queued.Job.State.Message, /no node that can do it has room.*\n.*3 nodes.*0\.6 CPU/)
  writeFileSync(join(directory, 'first'), '')
  await requester.until(waiting, 'Running')
  writeFileSync(join(directory, 'second'), '')
  assert.equal(nodesOf(await requester.until(three, 'Completed')).length, 3)
  assert.equal(nodesOf(await requester.until(waiting, 'Completed')).length, 1)

  const broken = await requester.submit({
    ...shellJob('batch', 'broken', 'exit 3', { Resources: LITTLE }),
    Meta: { 'saltcod/fail-on-exit-code': 'true' },
  })
  const [one, other, ...more] = nodesOf(await requester.until(broken, 'Failed'))
  assert.ok(one !== undefined && other !== undefined && one !== other && more.length === 0)

  const forever = 'while :; do sleep 0.2; done'
  const daemon = await requester.submit(shellJob('daemon', 'daemon', forever, { Resources: LITTLE }))
  const isOn = async (nodeIds: string): Promise<boolean> =>
    nodesOf(await requester.job(daemon), isLive).join(' ') === nodeIds
  await eventually('it is everywhere', () => isOn('n-1 n-2 n-3'))
  await enter('n-4')
  await eventually('it is on the node that came late', () => isOn('n-1 n-2 n-3 n-4'))
  await requester.kill()
  await requester.start()
  for (const cable of cables) cable.target = await requester.url()
  await eventually('all come again', async () => (await connected()) === 4)
  // A job that is asked for and done after that was behind whatever would be asked for once more.
  const last = await requester.submit(shellJob('ops', 'last', 'exit 0', { Resources: LITTLE }))
  assert.deepEqual(nodesOf(await requester.until(last, 'Completed')), ['n-1', 'n-2', 'n-3', 'n-4'])
  assert.deepEqual(nodesOf(await requester.job(daemon)), ['n-1', 'n-2', 'n-3', 'n-4'])
})
