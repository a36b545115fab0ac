import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished, test } from 'vitest'
import { waitFor } from '../chaos/attacked-node.ts'
import {
  closedPort,
  keptNode,
  PROGRAM,
  type Served,
  saltcod,
  serveNode,
  temporaryDirectory,
} from './binary.ts'

/** A command that runs while its node is killed and started again. */
class Command {
  stdout = ''
  stderr = ''
  readonly exited: Promise<number | null>
  readonly #child: ChildProcess

  constructor(argv: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [PROGRAM, ...argv], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.exited = new Promise((resolve) => child.on('close', (code) => resolve(code)))
    onTestFinished(() => void child.kill('SIGKILL'))
  }

  interrupt(): void {
    this.#child.kill('SIGINT')
  }
}

function shell(script: string, more: object = {}): object {
  const Engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
  return { Name: 'waited', Type: 'batch', Tasks: [{ Name: 'main', Engine }], ...more }
}

function jobFile(job: object): string {
  const path = join(temporaryDirectory(), 'job.json')
  writeFileSync(path, JSON.stringify(job))
  return path
}

test('who waits for a job, or follows its log, goes on when its node is killed and started again', async () => {
  const directory = temporaryDirectory()
  const gate = join(directory, 'gate')
  const port = await closedPort()
  const flags = ['--port', port, '--allow-exec']
  const first = await serveNode(directory, flags)
  const script = `echo begun; until test -e ${gate}; do sleep 0.1; done; echo done`
  const run = new Command(['job', 'run', jobFile(shell(script))], first.env)
  await waitFor('the job runs', () => run.stdout.includes('Running'))
  const logs = new Command(['job', 'logs', '-f', 'waited'], first.env)
  await waitFor('the log begins', () => logs.stdout === 'begun\n')
  first.signal('SIGKILL')
  await first.exited
  await waitFor('both say that they wait', () =>
    [run, logs].every(({ stderr }) => stderr.includes('waited for')),
  )
  await serveNode(directory, flags)
  await waitFor('both go on', () => [run, logs].every(({ stderr }) => stderr.includes('The node is back.')))
  writeFileSync(gate, '')
  assert.equal(await run.exited, 0, run.stderr)
  assert.match(run.stdout, /Job is Completed\./)
  assert.equal(await logs.exited, 0, logs.stderr)
  assert.match(logs.stderr, /the job is carried on by execution e-/)
  assert.equal(logs.stdout, 'begun\nbegun\ndone\n')
}, 60_000)

test('a log that is cut off does not end with 0', async () => {
  const directory = temporaryDirectory()
  const node = await serveNode(directory, ['--allow-exec'])
  const run = new Command(
    ['job', 'run', '--no-wait', jobFile(shell('yes | head -c 60000000; sleep 60'))],
    node.env,
  )
  assert.equal(await run.exited, 0)
  const logs = new Command(['job', 'logs', '-f', 'waited'], node.env)
  await waitFor('the log comes', () => logs.stdout.length > 0)
  node.signal('SIGKILL')
  await waitFor('it says that it waits', () => logs.stderr.includes('the job goes on with its node'))
  logs.interrupt()
  assert.equal(await logs.exited, 130)
  assert.match(
    logs.stderr,
    /no longer waiting: job j-\S+ goes on\nHint: look at it with: saltcod job describe/,
  )
}, 60_000)

let node: Served
beforeAll(async () => {
  node = await keptNode(['--allow-exec'])
})
afterAll(() => node.end())

test('Ctrl-C ends the waiting and not the job', async () => {
  const run = new Command(['job', 'run', jobFile(shell('sleep 60'))], node.env)
  await waitFor('the job runs', () => run.stdout.includes('Running'))
  run.interrupt()
  assert.equal(await run.exited, 130)
  assert.match(run.stderr, /^Error: no longer waiting: job j-\S+ goes on\n/)
  const { stdout } = await saltcod(['job', 'describe', 'waited', '--output', 'json'], { env: node.env })
  assert.equal(JSON.parse(stdout).Job.State.StateType, 'Running')
  assert.equal((await saltcod(['job', 'stop', 'waited'], { env: node.env })).code, 0)
}, 60_000)

test('a program that ends with another code than 0 shows everywhere', async () => {
  const file = jobFile(shell('echo oh; exit 3', { Name: 'three' }))
  const plain = await saltcod(['job', 'run', file], { env: node.env })
  assert.equal(plain.code, 1)
  assert.match(plain.stdout, /Job is Completed\./)
  assert.match(plain.stderr, /^Error: execution e-\S+ ended with exit code 3\n/)
  const own = await saltcod(['job', 'rerun', 'three', '--exit-code', 'program'], { env: node.env })
  assert.equal(own.code, 3)
  const quiet = await saltcod(['job', 'rerun', 'three', '--id-only'], { env: node.env })
  assert.equal(quiet.code, 1)
  const described = await saltcod(['job', 'describe', 'three'], { env: node.env })
  assert.match(described.stdout, /exit code 3/)
  const executions = await saltcod(['job', 'executions', 'three'], { env: node.env })
  assert.match(executions.stdout, /\b3\b/)
}, 60_000)

test('a job may say that another code than 0 is a failure', async () => {
  const Meta = { 'saltcod/fail-on-exit-code': 'true' }
  const file = jobFile(shell('exit 4', { Name: 'strict', Meta }))
  const failed = await saltcod(['job', 'run', file, '--exit-code', 'program'], { env: node.env })
  assert.match(failed.stderr, /is Failed/)
  assert.ok([1, 4].includes(failed.code ?? 0), failed.stderr)
  const described = await saltcod(['job', 'describe', 'strict', '--output', 'json'], { env: node.env })
  assert.equal(JSON.parse(described.stdout).Job.State.StateType, 'Failed')
}, 60_000)
