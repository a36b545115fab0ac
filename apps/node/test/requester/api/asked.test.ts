import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { findOwnNetwork } from '../../../src/engines/exec/own-network.ts'
import { fileFlags, startTestNode, type TestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'

function shell(script: string, more: object = {}): object {
  const Engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
  return { Name: 'main', Engine, ...more }
}

async function stdoutOf(node: TestNode, id: string): Promise<readonly string[]> {
  const { body } = await node.request<{
    Items: { ComputeState: { StateType: string }; RunOutput: { Stdout: string } | null }[]
  }>('GET', `${JOBS}/${id}/executions`)
  return body.Items.map(({ RunOutput }) => RunOutput?.Stdout.trim() ?? '').sort()
}

test('a job sees which of how many shares it is, and every other variable of the system', async () => {
  const node = await startTestNode(['--allow-exec'])
  const script =
    'echo $BACALHAU_PARTITION_INDEX/$BACALHAU_PARTITION_COUNT $BACALHAU_JOB_TYPE $(echo $BACALHAU_JOB_ID $BACALHAU_EXECUTION_ID | cut -c1-2)'
  const batch = await node.submit({ Type: 'batch', Count: 2, Tasks: [shell(script)] })
  await node.until(batch, 'Completed')
  expect(await stdoutOf(node, batch)).toEqual(['0/2 batch j-', '1/2 batch j-'])
  const ops = await node.submit({ Type: 'ops', Tasks: [shell(script)] })
  await node.until(ops, 'Completed')
  expect(await stdoutOf(node, ops)).toEqual(['0/1 ops j-'])
})

test('what cannot be a result is said to be left out where a job ended', async () => {
  const node = await startTestNode(['--allow-exec'])
  const ResultPaths = [{ Name: 'o', Path: '/o' }]
  const id = await node.submit({
    Type: 'batch',
    Tasks: [shell('ln -s /etc/passwd o/link; mkfifo o/pipe; echo x >o/file', { ResultPaths })],
  })
  const { Executions } = await node.until(id, 'Completed')
  expect(Executions?.Items.map(({ ComputeState }) => ComputeState.Message)).toEqual([
    'Completed; left out of its results: o/link is a symbolic link, and 1 more',
  ])
})

test('a missing input ends a job at once with its cause, a forbidden one is refused by the node', async () => {
  const directory = import.meta.dirname
  const node = await startTestNode(['--allow-exec', ...fileFlags({ Inputs: { AllowedPaths: [directory] } })])
  const from = (SourcePath: string): object =>
    shell('true', {
      InputSources: [{ Source: { Type: 'local', Params: { SourcePath } }, Target: 'in' }],
    })
  const missing = await node.submit({ Type: 'batch', Tasks: [from(join(directory, 'nowhere'))] })
  const failed = await node.until(missing, 'Failed')
  expect(failed.Job.State.Message).toMatch(/nowhere" does not exist/)
  expect(failed.Executions?.Items.map(({ EndReason }) => EndReason)).toEqual(['unusable-input'])
  const forbidden = await node.submit({ Type: 'batch', Tasks: [from('/etc/hostname')] })
  const refused = await node.until(forbidden, 'Failed')
  expect(refused.Job.State.Message).toContain('does not lie under Inputs.AllowedPaths')
  expect(refused.Executions?.Items.map(({ EndReason }) => EndReason)).toEqual(['refused'])
})

test('a variable of the node is given where it is allowed, and its value is nowhere but with the job', async () => {
  const secret = `secret-${process.pid}-0123456789`
  const value = `"${secret}"\nand ${secret}`
  process.env['SALTCOD_TEST_TOKEN'] = value
  onTestFinished(() => {
    delete process.env['SALTCOD_TEST_TOKEN']
  })
  let logged = ''
  const log = pino(
    { level: 'trace' },
    new Writable({
      write: (chunk, _encoding, done) => {
        logged += String(chunk)
        done()
      },
    }),
  )
  const node = await startTestNode(
    ['--allow-exec', ...fileFlags({ Node: { Compute: { Env: { AllowList: ['SALTCOD_TEST_*'] } } } })],
    log,
    { onDisk: true },
  )
  const Env = { TOKEN: 'env:SALTCOD_TEST_TOKEN' }
  const { length } = value
  const script = `[ \${#TOKEN} = ${length} ] && [ \${#1} = ${length} ] && exit 7`
  const params = { Command: 'sh', Arguments: ['-c', script, 'sh', 'env:SALTCOD_TEST_TOKEN'] }
  const ran = await node.submit({
    Type: 'batch',
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'exec', Params: params },
        Env,
        ResultPaths: [{ Name: '/o', Path: '/o' }],
      },
    ],
  })
  const done = await node.until(ran, 'Completed', 'Failed')
  expect(done.Executions?.Items.map(({ RunOutput }) => RunOutput?.ExitCode)).toEqual([7])
  // What goes wrong tells the name, not the value.
  const wrong = await node.submit({
    Type: 'batch',
    Tasks: [{ Name: 'main', Engine: { Type: 'exec', Params: { Command: 'env:SALTCOD_TEST_TOKEN' } } }],
  })
  expect((await node.until(wrong, 'Failed')).Job.State.Message).toContain('env:SALTCOD_TEST_TOKEN')
  for (const [name, why] of [
    ['PATH', 'Node.Compute.Env.AllowList'],
    ['SALTCOD_TEST_NONE', 'does not have'],
  ] as const) {
    const id = await node.submit({ Type: 'batch', Tasks: [shell('true', { Env: { X: `env:${name}` } })] })
    const refused = await node.until(id, 'Failed')
    expect(refused.Job.State.Message).toContain(`env:${name}`)
    expect(refused.Job.State.Message).toContain(why)
  }
  const answers = JSON.stringify([
    await node.request('GET', `${JOBS}?limit=100`),
    await node.request('GET', `${JOBS}/${ran}?include=executions,history`),
    await node.request('GET', `${JOBS}/${wrong}?include=executions,history`),
    await node.request('GET', '/api/v1/orchestrator/nodes'),
  ])
  expect(logged).toContain(ran)
  for (const [what, text] of Object.entries({ logged, answers, files: filesBelow(node.directory) })) {
    expect(text.includes(secret), what).toBe(false)
  }
  // What a job prints of it is in its log, and nowhere in what the node keeps or says.
  const told = await node.submit({
    Type: 'batch',
    Tasks: [shell('echo "$TOKEN"; tail -n 1 <<EOF >&2\n$TOKEN\nEOF', { Env })],
  })
  const telling = await node.until(told, 'Completed')
  expect(telling.Executions?.Items.map(({ RunOutput }) => [RunOutput?.Stdout, RunOutput?.stderr])).toEqual([
    ['env:SALTCOD_TEST_TOKEN\n', 'env:SALTCOD_TEST_TOKEN\n'],
  ])
  const stores = readdirSync(node.directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.db'))
    .map((name) => readFileSync(join(node.directory, name), 'latin1'))
  expect(stores.length).toBe(2)
  for (const text of [logged, ...stores]) expect(text.includes(secret)).toBe(false)
})

test('a module runs as the command line of Bacalhau names it, and what it leaves is published each time', async () => {
  const node = await startTestNode()
  const module = 'AGFzbQEAAAABBAFgAAADAgEABwoBBl9zdGFydAAACgQBAgAL'
  const Source = { Type: 'inline', Params: { URL: `data:application/wasm;base64,${module}` } }
  const task = {
    Name: 'main',
    Engine: { Type: 'wasm', Params: { EntryModule: 'main.wasm', Entrypoint: '_start', ImportModules: null } },
    InputSources: [{ Source, Alias: '', Target: 'main.wasm' }],
    Publisher: { Type: 'local' },
  }
  for (const ResultPaths of [[], [], [{ Name: '/outputs', Path: '/outputs' }]]) {
    const id = await node.submit({ Type: 'batch', Tasks: [{ ...task, ResultPaths }] })
    const { Job, Executions } = await node.until(id, 'Completed', 'Failed')
    expect(Job.State).toMatchObject({ StateType: 'Completed' })
    expect(Executions?.Items.map(({ EndReason }) => EndReason ?? '')).toEqual([''])
  }
})

test('a job that wants no network has a loopback of its own and no more, where the node can give one', async () => {
  const node = await startTestNode(['--allow-exec'])
  const script =
    'cut -d: -f1 -s /proc/net/dev | tr -d " "; cut -c1 /proc/self/status | head -1; env | cut -d= -f1'
  const id = await node.submit({ Type: 'batch', Tasks: [shell(script, { Network: { Type: 'None' } })] })
  const { Job, Executions } = await node.until(id, 'Completed', 'Failed')
  if ((await findOwnNetwork()) === null) {
    expect(Job.State.Message).toContain('Network.Type None: this machine gives')
    return
  }
  expect(Job.State.StateType).toBe('Completed')
  const words = (Executions?.Items[0]?.RunOutput?.Stdout ?? '').trim().split('\n')
  expect(words[0]).toBe('lo')
  expect(words[1]).toBe('N')
  // The shell of the job has its own; the one that brings the loopback up leaves nothing.
  const own = await node.submit({ Type: 'batch', Tasks: [shell(script)] })
  await node.until(own, 'Completed')
  const [usual = ''] = await stdoutOf(node, own)
  expect(words.slice(2).sort()).toEqual(
    usual
      .split('\n')
      .slice(usual.split('\n').indexOf('N') + 1)
      .sort(),
  )
})

test('the loopback of a job of its own network is up', async () => {
  // What a node without one says is asserted above.
  if ((await findOwnNetwork()) === null) return
  const node = await startTestNode(['--allow-exec'])
  const program = `
    const server = require('node:net').createServer((socket) => socket.end('heard'))
    server.listen(0, '127.0.0.1', () =>
      require('node:net').connect(server.address().port, '127.0.0.1').on('data', (data) => {
        console.log(String(data)); process.exit(0)
      }))`
  const Engine = { Type: 'exec', Params: { Command: process.execPath, Arguments: ['-e', program] } }
  const id = await node.submit({
    Type: 'batch',
    Tasks: [{ Name: 'main', Engine, Network: { Type: 'HTTP' }, Resources: { Memory: '1gb' } }],
  })
  await node.until(id, 'Completed', 'Failed')
  expect(await stdoutOf(node, id)).toEqual(['heard'])
})

test('a job on the host is told its ports, and two at a time have different ones', async () => {
  const node = await startTestNode(['--allow-exec'])
  const Ports = [{ Name: 'WEB' }, { Name: 'ADMIN' }]
  const script = 'echo $BACALHAU_PORT_WEB $BACALHAU_HOST_PORT_WEB $BACALHAU_PORT_ADMIN'
  const id = await node.submit({
    Type: 'batch',
    Count: 2,
    Tasks: [shell(script, { Network: { Type: 'Host', Ports } })],
  })
  await node.until(id, 'Completed')
  for (const line of await stdoutOf(node, id)) {
    const [web, host, admin] = line.split(' ').map(Number)
    expect(web).toBeGreaterThanOrEqual(20_000)
    expect(host).toBe(web)
    expect(admin).not.toBe(web)
  }
})

/** All that is in the files of a directory, stores, logs and results among them. */
function filesBelow(directory: string): string {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}
