import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS, closedPort, keptNode, type Served, serveNode, type saltcod as start } from './binary.ts'
import { RunningCommand } from './running-command.ts'

let node: Served
let session: ProgramSession
beforeAll(async () => {
  session = new ProgramSession(COMMANDS)
  node = await keptNode(['--allow-exec'])
})
afterAll(async () => {
  await session.close()
  await node.end()
})

/** Those that nobody interrupts share a process. */
const saltcod: typeof start = (argv, options) => session.run(argv, options)

function shell(script: string, more: object = {}): object {
  const Engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
  return {
    Name: 'waited',
    Type: 'batch',
    Tasks: [{ Name: 'main', Engine, Network: { Type: 'Host' } }],
    ...more,
  }
}

function jobFile(job: object): string {
  const path = join(temporaryDirectory(), 'job.json')
  writeFileSync(path, JSON.stringify(job))
  return path
}

/** Has services of a node count as healthy soon, and be started again soon. */
function impatient(directory: string, MinHealthyTime: string): void {
  const Services = { MinHealthyTime, Reschedule: { Delay: '50ms', MaxDelay: '200ms' } }
  writeFileSync(join(directory, 'saltcod.yaml'), JSON.stringify({ Services }))
}

test('a service is waited for until it is healthy, and one that does not come up is told with its last errors', async () => {
  const directory = temporaryDirectory()
  impatient(directory, '4s')
  const { env } = await serveNode(directory, ['--allow-exec'])
  const good = jobFile(shell('sleep 600', { Name: 'good', Type: 'service' }))
  const up = await saltcod(['job', 'run', good], { env })
  assert.equal(up.code, 0, up.stderr)
  assert.match(up.stdout, /healthy: it runs for 4s or longer\nJob is Running\.\n/)
  const bad = jobFile(shell('echo nothing to serve >&2; exit 3', { Name: 'bad', Type: 'service' }))
  const down = await saltcod(['job', 'run', bad], { env })
  assert.equal(down.code, 1)
  assert.match(
    down.stderr,
    /^Error: job j-\S+ does not come up: it has ended \d+ times in a row .*Ended with exit code 3 after \S+; its last errors:\n {2}nothing to serve\nHint: .*job logs/,
  )
  const killed = jobFile(shell('kill -KILL $$', { Name: 'killed', Type: 'daemon' }))
  const again = await saltcod(['job', 'run', killed], { env })
  assert.match(again.stderr, /does not come up: .*it was ended by the signal SIGKILL/)
}, 60_000)

test('a node that stops tells services first, and lets jobs that come to an end have the grace', async () => {
  const directory = temporaryDirectory()
  const port = await closedPort()
  const flags = ['--port', port, '--allow-exec']
  const first = await serveNode(directory, flags)
  const [ready, told] = [join(directory, 'ready'), join(directory, 'told')]
  const forEver = `trap 'touch ${told}; exit 0' TERM; touch ${ready}; while :; do sleep 0.1; done`
  const service = shell(forEver, { Name: 'for-ever', Type: 'service' })
  const batch = shell(`until test -e ${told}; do sleep 0.1; done`, { Name: 'with-end' })
  for (const job of [service, batch]) {
    const run = await saltcod(['job', 'run', '--no-wait', jobFile(job)], { env: first.env })
    assert.equal(run.code, 0, run.stderr)
  }
  const states = async (): Promise<string> => {
    const list = await saltcod(['job', 'executions', 'with-end', '--output', 'json'], { env: first.env })
    return list.stdout
  }
  await eventually('both run', async () => existsSync(ready) && JSON.parse(await states()).length > 0)
  await eventually(
    'the batch job runs',
    async () => JSON.parse(await states())[0].ComputeState.StateType === 6,
  )
  first.signal('SIGTERM')
  await first.exited
  const second = await serveNode(directory, flags)
  const described = await saltcod(['job', 'describe', 'with-end'], { env: second.env })
  assert.match(described.stdout, /State {7}Completed[\s\S]*Executions {2}1 Completed\n/)
  await eventually('the service goes on', async () => {
    const { stdout } = await saltcod(['job', 'describe', 'for-ever'], { env: second.env })
    return /Executions {2}1 Running\n/.test(stdout) && /Running again, attempt 2/.test(stdout)
  })
}, 60_000)

test('who waits for a job, or follows its log, goes on when its node is killed and started again', async () => {
  const directory = temporaryDirectory()
  const gate = join(directory, 'gate')
  const port = await closedPort()
  const flags = ['--port', port, '--allow-exec']
  const first = await serveNode(directory, flags)
  const script = `echo begun; until test -e ${gate}; do sleep 0.1; done; echo done`
  const run = new RunningCommand(['job', 'run', jobFile(shell(script))], first.env)
  await eventually('the job runs', () => run.stdout.includes('Running'))
  const logs = new RunningCommand(['job', 'logs', '-f', 'waited'], first.env)
  await eventually('the log begins', () => logs.stdout === 'begun\n')
  first.signal('SIGKILL')
  await first.exited
  await eventually('both say that they wait', () =>
    [run, logs].every(({ stderr }) => stderr.includes('waiting for it up to 1m, the job goes on')),
  )
  await serveNode(directory, flags)
  await eventually('both go on', () =>
    [run, logs].every(({ stderr }) => stderr.includes('The node is back.')),
  )
  writeFileSync(gate, '')
  assert.equal(await run.exited, 0, run.stderr)
  assert.match(run.stdout, /Job is Completed\./)
  assert.equal(await logs.exited, 0, logs.stderr)
  assert.match(logs.stderr, /the job is carried on by execution e-/)
  assert.equal(logs.stdout, 'begun\nbegun\ndone\n')
}, 60_000)

test('a service that is run again in place is followed in the log of its next attempt', async () => {
  const directory = temporaryDirectory()
  const port = await closedPort()
  const flags = ['--port', port, '--allow-exec']
  impatient(directory, '300ms')
  let served = await serveNode(directory, flags)
  const counter = join(directory, 'counter')
  // The log of the first attempt is the longest: whoever went on at its end would miss all of the others.
  const script = `echo x >>${counter}; n=$(wc -l <${counter}); seq -s' ' 1 $((500 / n)); echo "attempt $n"; sleep 600`
  const run = await saltcod(['job', 'run', jobFile(shell(script, { Type: 'service' }))], { env: served.env })
  assert.equal(run.code, 0, run.stderr)
  const logs = new RunningCommand(['job', 'logs', '-f', 'waited'], served.env)
  for (const attempt of [1, 2, 3]) {
    await eventually(`attempt ${attempt} is read`, () => logs.stdout.endsWith(`attempt ${attempt}\n`))
    served.signal('SIGKILL')
    await served.exited
    served = await serveNode(directory, flags)
  }
  await eventually('attempt 4 is read', () => logs.stdout.endsWith('attempt 4\n'))
  logs.signal('SIGINT')
  assert.equal(await logs.exited, 130, logs.stderr)
  assert.equal(logs.stdout.match(/attempt \d/g)?.join(), 'attempt 1,attempt 2,attempt 3,attempt 4')
  assert.equal(logs.stdout.match(/^1 2 3 /gm)?.length, 4)
  assert.doesNotMatch(logs.stderr, /carried on by execution/)
  const executions = await saltcod(['job', 'executions', 'waited', '--output', 'json'], { env: served.env })
  assert.equal(JSON.parse(executions.stdout).length, 1)
}, 120_000)

test('a log that is cut off does not end with 0', async () => {
  const directory = temporaryDirectory()
  const node = await serveNode(directory, ['--allow-exec'])
  const run = new RunningCommand(
    ['job', 'run', '--no-wait', jobFile(shell('yes | head -c 60000000; sleep 60'))],
    node.env,
  )
  assert.equal(await run.exited, 0)
  const logs = new RunningCommand(['job', 'logs', '-f', 'waited'], node.env)
  await eventually('the log comes', () => logs.stdout.length > 0)
  node.signal('SIGKILL')
  await eventually('it says that it waits', () => logs.stderr.includes('the job goes on when it is back'))
  logs.signal('SIGINT')
  assert.equal(await logs.exited, 130)
  assert.match(
    logs.stderr,
    /no longer waiting: job j-\S+ goes on\nHint: look at it with: saltcod job describe/,
  )
}, 60_000)

test('Ctrl-C ends the waiting and not the job', async () => {
  const run = new RunningCommand(['job', 'run', jobFile(shell('sleep 60'))], node.env)
  await eventually('the job runs', () => run.stdout.includes('Running'))
  run.signal('SIGINT')
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
  assert.equal(exitCells(described.stdout).join(), '3')
  assert.match(described.stdout, /exit code 3/)
  const all = await saltcod(['job', 'executions', 'three', '--all-versions'], { env: node.env })
  assert.equal(exitCells(all.stdout).join(), '3,3,3')
  const csv = await saltcod(['job', 'executions', 'three', '--output', 'csv'], { env: node.env })
  assert.match(csv.stdout, /,EXIT,REASON,[^\n]*\n[^\n]*,Completed,Stopped,3,,/)
  const json = await saltcod(['job', 'executions', 'three', '--output', 'json'], { env: node.env })
  assert.equal(JSON.parse(json.stdout)[0].RunOutput.ExitCode, 3)
}, 60_000)

/** The cells of a table of executions below its column EXIT. */
function exitCells(table: string): string[] {
  const lines = table.split('\n')
  const first = lines.findIndex((line) => line.startsWith('CREATED'))
  const at = lines[first]?.indexOf('EXIT') ?? -1
  assert.ok(at > 0, table)
  const rows = lines.slice(first + 1)
  const end = rows.findIndex((line) => line.trim() === '')
  return rows.slice(0, end).map((line) => line.slice(at).split(' ')[0] ?? '')
}

test('a job may say that another code than 0 is a failure', async () => {
  const Meta = { 'saltcod/fail-on-exit-code': 'true' }
  const file = jobFile(shell('exit 4', { Name: 'strict', Meta }))
  const failed = await saltcod(['job', 'run', file, '--exit-code', 'program'], { env: node.env })
  assert.match(failed.stderr, /is Failed/)
  assert.equal(failed.code, 4, failed.stderr)
  const plain = await saltcod(['job', 'rerun', 'strict'], { env: node.env })
  assert.equal(plain.code, 1, plain.stderr)
  const described = await saltcod(['job', 'describe', 'strict', '--output', 'json'], { env: node.env })
  const { Job, Executions } = JSON.parse(described.stdout)
  assert.equal(Job.State.StateType, 'Failed')
  const codes = Executions.Items.map(
    ({ RunOutput }: { RunOutput: { ExitCode: number } }) => RunOutput.ExitCode,
  )
  assert.deepEqual(codes, [4, 4], 'it is retried once by rule')
  const reasons = Executions.Items.map(({ EndReason }: { EndReason: string }) => EndReason)
  assert.deepEqual(reasons, ['exit-code', 'exit-code'])
  const table = await saltcod(['job', 'executions', 'strict', '--output', 'csv'], { env: node.env })
  assert.match(table.stdout, /,EXIT,REASON,[^\n]*\n[^\n]*,Failed,Stopped,4,exit-code,/)
}, 60_000)

test('a job that does better when it is retried has not failed', async () => {
  const mark = join(temporaryDirectory(), 'mark')
  const Meta = { 'saltcod/fail-on-exit-code': 'true' }
  const script = `test -e ${mark} || { : >${mark}; exit 4; }`
  const run = await saltcod(['job', 'run', jobFile(shell(script, { Name: 'better', Meta }))], {
    env: node.env,
  })
  assert.equal(run.code, 0, run.stderr)
  const { stdout } = await saltcod(['job', 'executions', 'better'], { env: node.env })
  assert.equal(exitCells(stdout).join(), '4,0')
}, 60_000)

test('programs that end with different codes have no code of their own to pass on', async () => {
  const mark = join(temporaryDirectory(), 'mark')
  const script = `mkdir ${mark} 2>/dev/null && exit 5; exit 6`
  const file = jobFile(shell(script, { Name: 'several', Count: 2 }))
  const run = await saltcod(['job', 'run', file, '--exit-code', 'program'], { env: node.env })
  assert.equal(run.code, 1, run.stderr)
  assert.match(run.stderr, /ended with exit code [56]\n[^\n]*ended with exit code [56]\n/)
}, 60_000)

test('a node that does not come back in time is given up, and so is one that is not to be waited for', async () => {
  const lost = await serveNode(temporaryDirectory(), ['--allow-exec'])
  const script = 'echo begun; sleep 60'
  const run = new RunningCommand(['job', 'run', '--wait-for-node', '300ms', jobFile(shell(script))], lost.env)
  await eventually('the job runs', () => run.stdout.includes('Running'))
  const logs = new RunningCommand(['job', 'logs', '-f', '--wait-for-node', '300ms', 'waited'], lost.env)
  const other = jobFile(shell(script, { Name: 'other' }))
  const impatient = new RunningCommand(['job', 'run', '--follow', '--wait-for-node', '0s', other], lost.env)
  await eventually('both logs begin', () => [logs, impatient].every(({ stdout }) => stdout.includes('begun')))
  lost.signal('SIGKILL')
  for (const command of [run, logs, impatient]) {
    assert.equal(await command.exited, 3, command.stderr)
    assert.match(
      command.stderr,
      /Error: (?:cannot reach a node|the node) at http[^\n]*\nHint: the job goes on when its node is started again; look at it with: saltcod job describe j-/,
    )
  }
  assert.match(run.stderr, /waiting for it up to 300ms, the job goes on when it is back/)
  assert.doesNotMatch(impatient.stderr, /waiting for it/)
}, 60_000)
