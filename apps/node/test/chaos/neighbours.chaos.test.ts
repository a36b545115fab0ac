import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WireNodeInfo } from '@saltcod/bacalhau-records'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { PidNamespaces } from '../../src/compute/keeper/pid-namespaces.ts'
import { AttackedNode } from './attacked-node.ts'
import { shellJob, watchfulJob } from './chaos-jobs.ts'
import { GUESTS, guestJob } from './guest-jobs.ts'

const available = (await PidNamespaces.find({})) !== undefined
const WAYS = ['pkill sleep', 'killall sleep', 'pkill -KILL sleep', 'killall -KILL sleep', 'kill -9 -1']
const there = WAYS.filter((way) => spawnSync('sh', ['-c', `command -v ${way.split(' ')[0]}`]).status === 0)

/** Until a child that was just made bears the name of its program. */
const UNTIL_NAMED = 'until read -r name </proc/$!/comm && [ "$name" = sleep ]; do :; done'

/** A native job that kills in every way all that it can reach, and says of each what became of a sleep of its own. */
const KILLING = [
  // Where isolation is broken this would end all that the user has on the machine, so it looks first.
  'test $PPID = 0 || exit 99',
  ...there.map((way) => `sleep 1000 & ${UNTIL_NAMED}; ${way}; wait $!; echo "$? ${way}"`),
].join('\n')

async function helpersOf(node: AttackedNode): Promise<string[]> {
  const text = await (await node.request('GET', 'metrics')).text()
  return text.split('\n').filter((line) => /^saltcod_(?:keeper|runners)_/.test(line))
}

// Without a namespace for each job, what these kill is the machine that the test runs on.
test.runIf(available)('a job that kills all that it can reach is noticed by no neighbour', async () => {
  const directory = temporaryDirectory()
  const gate = join(directory, 'gate')
  const node = new AttackedNode(join(directory, 'repo'), ['--allow-exec'])
  await node.start()
  await eventually('the node has namespaces for its jobs', async () => {
    const { Labels } = (await (await node.request('GET', 'agent/node')).json()) as WireNodeInfo
    return Labels['saltcod/exec-isolation'] === 'pid-namespace'
  })
  const guest = await node.submit(guestJob('batch', 'guest', GUESTS.endless))
  const watchful = [await node.submit(watchfulJob('one', gate)), await node.submit(watchfulJob('two', gate))]
  for (const id of [guest, ...watchful]) await node.until(id, 'Running')
  await eventually('the guest has its runner', async () =>
    (await helpersOf(node)).includes('saltcod_runners_started_total 2'),
  )
  const before = await helpersOf(node)

  const killers = [1, 2, 3].map((number) => node.submit(shellJob('batch', `killer-${number}`, KILLING)))
  for (const killer of killers) {
    const { Executions } = await node.until(await killer, 'Completed')
    // It did kill: 128 and the number of the signal.
    const said = there.map((way) => `${/9|KILL/.test(way) ? 137 : 143} ${way}\n`).join('')
    expect(Executions?.Items.map(({ RunOutput }) => RunOutput?.Stdout)).toEqual([said])
  }

  writeFileSync(gate, '')
  for (const id of watchful) {
    const { Executions } = await node.until(id, 'Completed')
    expect(Executions?.Items.map(({ RunOutput }) => RunOutput?.Stdout)).toEqual(['up\nunharmed\n'])
  }
  expect((await node.until(guest, 'Running')).Executions?.Items.length).toBe(1)
  expect(await helpersOf(node)).toEqual(before)
})
