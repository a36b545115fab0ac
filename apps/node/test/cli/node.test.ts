import assert from 'node:assert/strict'
import { test } from 'vitest'
import { startTestNode } from '../node-fixture.ts'
import { saltcod } from './binary.ts'

test('nodes are listed, and one is described with how it keeps jobs apart', async () => {
  const node = await startTestNode(['--allow-exec'])
  const flags = ['--port', new URL(node.url).port, '--repo', node.directory]
  const list = await saltcod(['node', 'list', ...flags])
  assert.match(list.stdout, /^ID +STATUS +ENGINES/)
  assert.match(list.stdout, /n-test +connected +exec noop wasm/)
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
