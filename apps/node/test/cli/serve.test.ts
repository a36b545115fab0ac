import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS, jobUntil, saltcod, serveNode } from './binary.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

function job(durationMs: number, type = 'batch'): string {
  return JSON.stringify({
    Type: type,
    Tasks: [{ Name: 'a', Engine: { Type: 'noop', Params: { DurationMs: durationMs } } }],
  })
}

test('a node prints one line, and ends with 0 on SIGTERM after what runs has finished', async () => {
  const node = await serveNode(temporaryDirectory())
  const { stdout } = await saltcod(['job', 'run', '--id-only', '--no-wait', '-'], {
    env: node.env,
    input: job(3000),
  })
  await jobUntil(node.url, stdout.trim(), 'Running')
  node.signal('SIGTERM')
  const ended = await node.exited
  assert.deepEqual([ended.code, ended.stdout], [0, `listening on ${node.url}\n`])
  const again = await serveNode(node.directory)
  const { Job, Executions } = await jobUntil(again.url, stdout.trim(), 'Completed')
  assert.equal(Executions?.Items.length, 1, `finished in the grace period: ${Job.State.Message}`)
})

test('what the grace period does not suffice for is named in the log', async () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'saltcod.yaml'), 'GracePeriod: 100ms\n')
  const node = await serveNode(directory)
  const { stdout } = await session.run(['job', 'run', '--id-only', '--no-wait', '-'], {
    env: node.env,
    input: job(600_000),
  })
  const { Executions } = await jobUntil(node.url, stdout.trim(), 'Running')
  node.signal('SIGTERM')
  const { code, stderr } = await node.exited
  assert.equal(code, 0)
  const line = stderr.split('\n').find((text) => text.includes('the grace period is over'))
  assert.ok(line?.includes(Executions?.Items[0]?.ID ?? 'none'), stderr)
})

test('a node that was killed goes on with every job where it was', async () => {
  const directory = temporaryDirectory()
  let node = await serveNode(directory)
  const ids: string[] = []
  for (let round = 0; round < 2; round++) {
    for (const type of ['batch', 'ops']) {
      const run = await session.run(['job', 'run', '--id-only', '--no-wait', '-'], {
        env: node.env,
        input: job(400, type),
      })
      assert.equal(run.code, 0, run.stderr)
      ids.push(run.stdout.trim())
    }
    node.signal('SIGKILL')
    await node.exited
    node = await serveNode(directory)
  }
  for (const id of ids) {
    const { History } = await jobUntil(node.url, id, 'Completed')
    assert.equal(History?.Items.at(-1)?.JobState?.New, 'Completed')
  }
})

test('the plan of a restart is read beside a running node', async () => {
  const node = await serveNode(temporaryDirectory())
  const run = await session.run(['job', 'run', '--id-only', '--no-wait', '-'], {
    env: node.env,
    input: job(600_000),
  })
  await jobUntil(node.url, run.stdout.trim(), 'Running')
  const endMs = Date.now() + 20_000
  for (;;) {
    const plan = await session.run(['recover', '--plan', '--output', 'json'], { env: node.env })
    assert.equal(plan.code, 0, plan.stderr)
    const decisions = JSON.parse(plan.stdout) as { state: string; action: string; reason: string }[]
    assert.equal(decisions.length, 1)
    if (decisions[0]?.state === 'Running') {
      assert.deepEqual([decisions[0].action, decisions[0].reason], ['fail', 'interrupted'])
      break
    }
    assert.ok(Date.now() < endMs)
    await delay(50)
  }
  const text = await session.run(['recover', '--plan'], { env: node.env })
  assert.match(text.stdout, /^If the node stopped now/)
})

test('all mistakes of a configuration are told at once, and nothing is written', async () => {
  const directory = temporaryDirectory()
  const repo = join(directory, 'repo')
  const file = join(directory, 'saltcod.yaml')
  writeFileSync(file, 'API:\n  Port: many\nNode:\n  Tpye: both\n')
  const ran = await saltcod(['serve', '--repo', repo, '--config', file, '--node-type', 'oracle'])
  assert.deepEqual([ran.code, ran.stdout], [2, ''])
  const lines = ran.stderr.trimEnd().split('\n')
  assert.equal(lines.length, 3, ran.stderr)
  for (const word of ['--node-type', 'API.Port', 'Tpye'])
    assert.ok(
      lines.some((line) => line.includes(word)),
      word,
    )
  assert.ok(lines.every((line) => line.startsWith('Error: ')))
  assert.deepEqual(readdirSync(directory), ['saltcod.yaml'])
})

test('stores of Bacalhau and of other nodes are not passed over in silence', async () => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'n-old-requester'), { mode: 0o700 })
  writeFileSync(join(directory, 'n-old-requester', 'jobs.db'), 'anything')
  const before = readdirSync(directory, { recursive: true })
  const ran = await saltcod(['serve', '--repo', directory, '--port', '0'])
  assert.deepEqual([ran.code, ran.stdout], [2, ''])
  assert.match(ran.stderr, /^Error: no node id was given, and \S+ has stores of n-old: /)
  assert.deepEqual(readdirSync(directory, { recursive: true }), before)
})

test('a store that is none is one clear line', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  writeFileSync(path, 'this is not a store\n'.repeat(1000))
  const ran = await saltcod([
    'serve',
    '--repo',
    join(directory, 'repo'),
    '--port',
    '0',
    '--requester-job-store-path',
    path,
  ])
  assert.deepEqual([ran.code, ran.stdout], [2, ''])
  assert.match(ran.stderr, /^(?:\{.*\}\n)*Error: cannot open the store: [^\n]+\nHint: [^\n]+\n$/)
})

test('a second node on the same stores, or the same port, is refused', async () => {
  const node = await serveNode(temporaryDirectory())
  const second = await saltcod(['serve', '--repo', node.directory, '--port', '0'])
  assert.deepEqual([second.code, second.stdout], [2, ''])
  assert.match(second.stderr, /Error: cannot open the store: /)
  const port = new URL(node.url).port
  const other = await saltcod(['serve', '--repo', temporaryDirectory(), '--port', port])
  assert.deepEqual([other.code, other.stdout], [1, ''])
  assert.match(other.stderr, /Error: cannot listen on 127\.0\.0\.1:\d+: another program listens there\n/)
  for (const [host, reason] of [
    ['192.0.2.7', 'this machine has no such address'],
    ['no.such.host.invalid', 'that host cannot be found'],
  ] as const) {
    const where = ['--host', host, '--port', '0', '--insecure']
    const ran = await saltcod(['serve', '--repo', temporaryDirectory(), ...where])
    assert.deepEqual([ran.code, ran.stdout], [1, ''])
    assert.match(ran.stderr, new RegExp(`Error: cannot listen on \\S+: ${reason}\nHint: give an address of`))
  }
  assert.doesNotMatch(other.stderr, /recovery/, 'what an earlier node left is not touched')
})

test('settings are shown with their origin', async () => {
  const directory = temporaryDirectory()
  const env = { BACALHAU_API_PORT: '4321', BACALHAU_DIR: directory, HOME: directory }
  const list = await session.run(['config', 'list', '--host', '::1', '--output', 'json'], { env })
  const rows = JSON.parse(list.stdout) as { Key: string; Value: unknown; Origin: string }[]
  const row = (key: string) => rows.find((candidate) => candidate.Key === key)
  assert.deepEqual(row('API.Port'), { Key: 'API.Port', Value: 4321, Origin: 'BACALHAU_API_PORT' })
  assert.deepEqual(row('API.Host')?.Origin, '--host')
  assert.equal((await session.run(['config', 'get', 'api.port'], { env })).stdout, '4321\n')
  const misspelt = await session.run(['config', 'get', 'API.Prot'], { env })
  assert.deepEqual([misspelt.code, /\nHint: did you mean API\.Port\?\n$/.test(misspelt.stderr)], [2, true])
  const unknown = await session.run(['config', 'get', 'Something'], { env })
  assert.match(unknown.stderr, /\nHint: list them with: saltcod config list\n$/)
  for (const [given, hint] of [
    ['Quota', /\nHint: Quota is a section; its settings are Quota\.StoreSize, .*Quota\.OutputSize\n$/],
    ['node.computer', /\nHint: Node\.Compute is a section; .* and \d+ more \(saltcod config list\)\n$/],
    ['Node.StoreSize', /\nHint: did you mean Quota\.StoreSize\?\n$/],
    ['JobStore.Path', /\nHint: did you mean .*Node\.Requester\.JobStore\.Path.*\?\n$/],
  ] as const) {
    const { code, stderr } = await session.run(['config', 'get', given], { env })
    assert.equal(code, 2)
    assert.match(stderr, hint)
  }
  const defaults = await session.run(['config', 'default'])
  const file = join(env.BACALHAU_DIR, 'saltcod.yaml')
  writeFileSync(file, defaults.stdout)
  assert.equal((await session.run(['config', 'list'], { env })).code, 0)
})
