import assert from 'node:assert/strict'
import type { WireError, WireNodeState } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { noopJob, startTestNode } from '../node-fixture.ts'
import { saltcod } from './binary.ts'

test('nodes are listed, and one is described with how it keeps jobs apart', async () => {
  const node = await startTestNode(['--allow-exec'])
  const flags = ['--port', new URL(node.url).port, '--repo', node.directory]
  const list = await saltcod(['node', 'list', ...flags])
  assert.match(list.stdout, /^ID +APPROVAL +STATUS +ENGINES/)
  assert.match(list.stdout, /n-test +approved +connected +exec noop wasm/)
  for (const id of [[], ['n-te']]) {
    const { code, stdout } = await saltcod(['node', 'describe', ...id, ...flags])
    assert.equal(code, 0)
    assert.match(stdout, /^ID +n-test$/m)
    assert.match(stdout, /saltcod\/exec-isolation +(pid-namespace|cgroup|none)/)
    assert.match(stdout, /for one job/)
    assert.match(
      stdout,
      /^exec +(reserved|share where short) +limit, (watched|by the kernel) +limit +reserved$/m,
    )
    assert.match(stdout, /^wasm +reserved +limit +limit +reserved$/m)
  }
  const { stdout } = await saltcod(['node', 'describe', '--output', 'json', ...flags])
  const described = JSON.parse(stdout) as { Info: { Labels: Record<string, string> } }
  const mode = described.Info.Labels['saltcod/exec-isolation']
  const metrics = await (await fetch(`${node.url}/metrics`)).text()
  assert.match(metrics, new RegExp(`^saltcod_exec_isolation\\{mode="${mode}"\\} 1$`, 'm'))
  const missing = await saltcod(['node', 'describe', 'n-other', ...flags])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /node not found/)
})

test('a listing takes labels, states, an order and a limit, as that of Bacalhau does', async () => {
  const node = await startTestNode(['--allow-exec'])
  const flags = ['--port', new URL(node.url).port, '--repo', node.directory, '--output', 'json']
  const listed = async (...args: readonly string[]): Promise<number> => {
    const { code, stdout, stderr } = await saltcod(['node', 'list', ...flags, ...args])
    assert.equal(code, 0, stderr)
    return (JSON.parse(stdout) as readonly unknown[]).length
  }
  assert.equal(await listed('--labels', 'saltcod/exec-isolation', '--order-by', 'available_cpu'), 1)
  assert.equal(await listed('--labels', 'zone in (a,b)'), 0)
  assert.equal(
    await listed('--filter-status', 'connected', '--filter-approval', 'approved', '--limit', '1'),
    1,
  )
  assert.equal(await listed('--filter-status', 'disconnected', '--order-reversed'), 0)
  const odd = await saltcod(['node', 'list', ...flags, '--order-by', 'colour'])
  assert.equal(odd.code, 2)
  assert.match(odd.stderr, /Allowed choices are id, type, approval/)
})

test('a node is rejected, approved, drained, given labels, resumed and deleted, and comes again', async () => {
  const node = await startTestNode()
  const flags = ['--port', new URL(node.url).port, '--repo', node.directory]
  const change = async (...args: readonly string[]) => await saltcod(['node', ...args, ...flags])
  const path = '/api/v1/orchestrator/nodes/n-test'
  const described = async () => (await node.request<{ Node: WireNodeState }>('GET', path)).body.Node
  assert.deepEqual(await change('reject', 'n-te', '--message', 'not ours'), {
    code: 0,
    stdout: 'Ok\n',
    stderr: '',
  })
  assert.equal((await described()).Membership, 'REJECTED')
  const waiting = await node.submit(noopJob())
  await node.until(waiting, 'Queued')
  const again = await node.request<WireError>('PUT', path, { Action: 'reject' })
  assert.deepEqual([again.status, again.body.Code], [409, 'ConflictNodeState'])
  assert.equal((await node.request('PUT', path, { Action: 'nonsense' })).status, 400)
  assert.match(
    (await saltcod(['node', 'describe', 'n-test', ...flags])).stdout,
    /^Approval +rejected: not ours$/m,
  )
  assert.equal((await change('approve', 'n-test')).code, 0)
  await node.until(waiting, 'Completed')
  assert.equal((await change('drain', 'n-test', '--timeout', '1h', '--message', 'new disk')).code, 0)
  const drained = await node.submit(noopJob())
  await node.until(drained, 'Queued')
  const { Saltcod } = await described()
  assert.deepEqual([Saltcod?.Scheduling, Saltcod?.SchedulingMessage], ['drained', 'new disk'])
  assert.match(Saltcod?.DrainDeadline ?? '', /^\d{4}-/)
  const time = '\\d{4}(-\\d\\d){2} \\d\\d(:\\d\\d){2}'
  const { stdout } = await saltcod(['node', 'describe', 'n-test', ...flags])
  assert.match(
    stdout,
    new RegExp(`^Scheduling +drained: new disk\nDeadline +${time}, in \\w+: what still`, 'm'),
  )
  assert.match(stdout, new RegExp(`^Last seen +${time}, \\w+ ago$`, 'm'))
  assert.equal((await change('label', 'n-test', 'rack=7', 'name=mine')).code, 0)
  assert.deepEqual((await described()).Saltcod?.GivenLabels, { rack: '7', name: 'mine' })
  assert.equal((await described()).Info.Labels['rack'], '7')
  assert.equal((await change('label', 'n-test', 'name-')).code, 0)
  assert.equal((await described()).Info.Labels['name'], 'n-test')
  assert.equal((await change('label', 'n-test', 'nothing')).code, 2)
  for (const word of ['my rack=7', 'rack=7,8', 'rack==7']) {
    const refused = await change('label', 'n-test', word)
    assert.deepEqual([refused.code, refused.stdout], [2, ''], word)
    assert.match(refused.stderr, /is a label that no selector could name\nHint: /)
  }
  assert.equal((await change('resume', 'n-test')).code, 0)
  await node.until(drained, 'Completed')
  assert.equal((await change('delete', 'n-test')).code, 0)
  const last = await node.submit(noopJob())
  await node.until(last, 'Completed')
  assert.deepEqual((await described()).Saltcod?.GivenLabels, {})
})
