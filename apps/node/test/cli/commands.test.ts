import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WireExecution, WireGetJobAnswer, WireHistory, WireJob } from '@saltcod/bacalhau-records'
import { examplesOf, processTerminal } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { afterAll, beforeAll, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { createCommandLine } from '../../src/cli/program.ts'
import { COMMANDS, closedPort, keptNode, type Served, type saltcod as start } from './binary.ts'

const HELLO = `name: hello
type: batch
tasks:
  - name: main
    engine:
      type: exec
      params: { Command: echo, Arguments: [hello, world] }
    network: { type: Host }
`

/** A job of an engine without a process. */
const SILENT = {
  Name: 'silent',
  Type: 'batch',
  Tasks: [{ Name: 'main', Engine: { Type: 'noop' } }],
}

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

/** Runs a command in the one process that all of them share. */
const saltcod: typeof start = (argv, options) => session.run(argv, options)

test('a job is submitted, waited for, and looked at in every way', async () => {
  const { env } = node
  const file = join(node.directory, 'hello.yaml')
  writeFileSync(file, HELLO)

  const run = await saltcod(['job', 'run', file], { env })
  assert.equal(run.code, 0, run.stderr)
  assert.match(run.stdout, /^Job successfully submitted\. Job ID: j-[0-9a-f-]{36}\n/)
  assert.match(run.stdout, /Job submitted\n[\s\S]*Job is Completed\./)

  const list = await saltcod(['job', 'list', '--output', 'json'], { env })
  const [job] = JSON.parse(list.stdout) as WireJob[]
  assert.deepEqual([job?.Name, job?.State.StateType], ['hello', 'Completed'])
  const id = job?.ID ?? ''
  const short = id.slice(0, 10)

  assert.equal((await saltcod(['job', 'logs', short], { env })).stdout.trim(), 'hello world')
  const described = await saltcod(['job', 'describe', 'hello', '--output', 'json'], { env })
  assert.equal(
    (JSON.parse(described.stdout) as WireGetJobAnswer).Executions?.Items[0]?.RunOutput?.Stdout,
    'hello world\n',
  )
  const text = await saltcod(['job', 'describe', short], { env })
  assert.match(
    text.stdout,
    /State {7}Completed\n[\s\S]*Executions\n[\s\S]*History\n[\s\S]*Standard output\nhello world\n$/,
  )
  const history = await saltcod(['job', 'history', id, '--output', 'json'], { env })
  assert.equal((JSON.parse(history.stdout) as WireHistory[]).at(-1)?.JobState?.New, 'Completed')
  const story = JSON.parse(history.stdout) as WireHistory[]
  const head = await saltcod(['job', 'history', id, '--limit', '2', '--output', 'json'], { env })
  const token = /^More: add --next-token (\S+)\n$/.exec(head.stderr)?.[1] ?? ''
  const rest = await saltcod(['job', 'history', id, '--next-token', token, '--output', 'json'], { env })
  assert.deepEqual([...JSON.parse(head.stdout), ...JSON.parse(rest.stdout)], story)
  assert.deepEqual([history.stderr, rest.stderr], ['', ''])
  const executions = await saltcod(['job', 'executions', id, '--output', 'json'], { env })
  assert.equal((JSON.parse(executions.stdout) as WireExecution[])[0]?.ComputeState.StateType, 9)
  const csv = await saltcod(['job', 'list', '--output', 'csv'], { env })
  assert.match(
    csv.stdout,
    /^CREATED,ID,NAME,NAMESPACE,JOB,TYPE,STATE\n[^\n]+,hello,default,exec,batch,Completed\n$/,
  )
  const yaml = await saltcod(['job', 'list', '--output', 'yaml'], { env })
  assert.match(yaml.stdout, /^- ID: j-/)
  const table = await saltcod(['job', 'list'], { env })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none.
  assert.doesNotMatch(table.stdout, /\u001b/)
  assert.match((await saltcod(['version'], { env })).stdout, /^client {2}v\S+\nnode {4}v\S+\n$/)
})

test('a job comes from standard input, its id alone is printed, and it is stopped', async () => {
  const { env } = node
  const spec = {
    Type: 'service',
    Tasks: [{ Name: 'a', Engine: { Type: 'noop', Params: { DurationMs: 600_000 } } }],
  }
  const run = await saltcod(['job', 'run', '--id-only', '--no-wait', '-'], {
    env,
    input: JSON.stringify(spec),
  })
  assert.equal(run.code, 0, run.stderr)
  assert.match(run.stdout, /^j-[0-9a-f-]{36}\n$/)
  const id = run.stdout.trim()
  const stop = await saltcod(['job', 'stop', id], { env })
  assert.match(stop.stdout, /^Job stop successfully submitted with evaluation ID: v-/)
  const described = await saltcod(['job', 'describe', id, '--output', 'json'], { env })
  assert.equal((JSON.parse(described.stdout) as WireGetJobAnswer).Job.State.StateType, 'Stopped')
  const again = await saltcod(['job', 'stop', id], { env })
  assert.deepEqual([again.code, again.stdout], [0, 'The job had been stopped before.\n'])
})

test('a job that fails makes the command fail with one clear line', async () => {
  const { env } = node
  const spec = { Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'docker', Params: { Image: 'a' } } }] }
  const run = await saltcod(['job', 'run', '-'], { env, input: JSON.stringify(spec) })
  assert.equal(run.code, 1)
  assert.match(
    run.stderr,
    /^Error: job j-\S+ is Failed: not enough nodes[^\n]*\n {2}• Node [^\n]*no engine docker[^\n]*\nHint: [^\n]+\n$/,
  )
  const id = /j-[0-9a-f-]{36}/.exec(run.stderr)?.[0] ?? ''
  const outputs = [run.stdout]
  for (const verb of ['describe', 'history']) outputs.push((await saltcod(['job', verb, id], { env })).stdout)
  for (const output of outputs) {
    assert.match(output, /no engine docker/)
    assert.ok(!output.includes('\\n'), output)
  }
  assert.match(outputs[0] ?? '', /not enough nodes[^\n]*\n {40,}• Node /)
  assert.match(outputs[1] ?? '', /^Message {5}not enough nodes[^\n]*\n {12}• Node /m)
  assert.match(outputs[2] ?? '', /not enough nodes[^\n]* \| Node /)
})

test('whoever follows a job reads its output as it comes', async () => {
  const { env } = node
  const Params = { Command: 'sh', Arguments: ['-c', 'echo one; sleep 0.3; echo two'] }
  const spec = { Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'exec', Params } }] }
  const run = await saltcod(['job', 'run', '--follow', '-'], { env, input: JSON.stringify(spec) })
  assert.equal(run.code, 0, run.stderr)
  assert.match(run.stdout, /one\ntwo\nJob is Completed\.\nTo see its output, run: {2}saltcod job logs j-/)
})

test('whoever waits for a job that writes nothing is not sent to its log', async () => {
  const { env } = node
  const run = async (Params: object) => {
    const spec = { Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'noop', Params } }] }
    return saltcod(['job', 'run', '-'], { env, input: JSON.stringify(spec) })
  }
  assert.match((await run({})).stdout, /Job is Completed\.\n$/)
  assert.match((await run({ ExitCode: 3 })).stderr, /\nHint: see what happened with: saltcod job describe j-/)
})

test('what is wrong with a specification is said before anything is sent', async () => {
  const directory = temporaryDirectory()
  const env = { BACALHAU_DIR: directory, BACALHAU_API_PORT: '1' }
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /standard input is empty/],
    ['a: [', /neither YAML nor JSON/],
    [
      'type: batch\n---\ntype: ops',
      /^Error: standard input holds several documents, and a job is one: the second begins in line 2\nHint: /,
    ],
    ['- 1', /does not hold a job/],
    ['type: batch\nnome: x', /unknown keys: nome/],
    [`name: ${'x'.repeat(11_000_000)}`, /larger than 10 MB/],
  ]
  for (const [input, message] of cases) {
    const run = await saltcod(['job', 'run', '-'], { env, input })
    assert.deepEqual([run.code, run.stdout], [1, ''])
    assert.match(run.stderr, message)
    assert.match(run.stderr, /^Error: /)
  }
  const missing = await saltcod(['job', 'run', join(directory, 'none.yaml')], { env })
  assert.match(missing.stderr, /^Error: cannot read .*none\.yaml: there is no such file\nHint: /)
})

test('each use of a setting is seen, by every name of it, and two that disagree are refused', async () => {
  const told = async (...argv: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await saltcod(argv, { env: {} })
    return `${code}: ${stdout}${stderr.split('\n')[0]}`
  }
  const directory = temporaryDirectory()
  for (const flag of ['--repo', '--data-dir']) {
    assert.equal(await told('config', 'get', 'DataDir', flag, directory), `0: ${directory}\n`)
    assert.match(
      await told('job', 'list', flag, directory, '--port', await closedPort()),
      /^3: Error: cannot reach/,
    )
  }
  const twice = '2: Error: --port: API.Port: is given twice with different values; give one of them'
  const two = '2: Error: --data-dir: DataDir: contradicts --repo, which sets the same; give one of them'
  for (const command of [
    ['serve'],
    ['recover'],
    ['config', 'list'],
    ['config', 'get', 'API.Port'],
    ['job', 'list'],
    ['job', 'logs', 'x'],
  ]) {
    assert.equal(await told(...command, '--repo', directory, '--port', '1', '--port=2'), twice)
    assert.equal(await told(...command, '--repo', directory, '--data-dir', '/nowhere'), two)
  }
  assert.match(
    await told('serve', '--repo', '--allow-exec'),
    /^2: Error: --repo: has no value; write '--repo VALUE'/,
  )
  assert.match(await told('serve', '--repo='), /^2: Error: --repo: is empty/)
})

test('a node that is not there, wrong usage and what is unknown have their own exit codes', async () => {
  const directory = temporaryDirectory()
  const port = await closedPort()
  const away = await saltcod(['job', 'list'], { env: { BACALHAU_DIR: directory, BACALHAU_API_PORT: port } })
  assert.equal(away.code, 3)
  assert.match(
    away.stderr,
    /^Error: cannot reach a node at http:\/\/127\.0\.0\.1:\d+: nothing listens there\nHint: /,
  )
  const usages = [
    ['job', 'lst'],
    ['job', 'list', '--nope'],
    ['job', 'describe'],
    ['job', 'list', '--limit', 'x'],
    ['completion', 'tcsh'],
  ]
  for (const argv of usages) {
    const ran = await saltcod(argv)
    assert.equal(ran.code, 2, argv.join(' '))
    assert.match(ran.stderr, /^Error: [^\n]+\n/)
  }
  const { env } = node
  for (const id of ['nothing', '../../etc/passwd', 'j-0000']) {
    const ran = await saltcod(['job', 'describe', id], { env })
    assert.deepEqual([ran.code, ran.stdout], [1, ''])
    assert.match(ran.stderr, /^Error: job not found/)
  }
})

test('help teaches, and completions name every command', async () => {
  const help = await saltcod(['--help'])
  assert.equal(help.code, 0)
  for (const word of ['serve', 'job', 'config', 'recover', 'Exit codes:', 'Examples:'])
    assert.ok(help.stdout.includes(word), word)
  assert.match((await saltcod(['job', 'run', '--help'])).stdout, /Examples:[\s\S]*hello\.yaml/)
  const terminal = processTerminal(process, { unwritable: 1 })
  const shown = (command: Command): Command[] => command.createHelp().visibleCommands(command)
  const all = (command: Command): Command[] => shown(command).flatMap((inner) => [inner, ...all(inner)])
  for (const command of all(createCommandLine(terminal)).filter((one) => one.name() !== 'help'))
    assert.match(examplesOf(command)[0] ?? '', /\bsaltcod /, command.name())
  const serve = await saltcod(['serve', '--help'])
  for (const word of ['--data-dir, BACALHAU_DIR', '--name, BACALHAU_NODE_ID', 'BACALHAU_API_PORT'])
    assert.ok(serve.stdout.replaceAll(/\s+/g, ' ').includes(word), word)
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await saltcod(['completion', shell])
    assert.equal(code, 0)
    for (const word of ['executions', 'serve', 'allow-exec'])
      assert.ok(stdout.includes(word), `${shell}: ${word}`)
  }
})

test('the same file runs again only with force, and a job without its file', async () => {
  const { env } = node
  const spec = { Name: 'again', Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'noop' } }] }
  const input = JSON.stringify(spec)
  assert.equal((await saltcod(['job', 'run', '-'], { env, input })).code, 0)
  const same = await saltcod(['job', 'run', '-'], { env, input })
  assert.equal(same.code, 1)
  assert.match(same.stderr, /^Error: no changes detected .*\nHint: Use the --force flag/)
  const forced = await saltcod(['job', 'run', '--force', '-'], { env, input })
  assert.deepEqual([forced.code, forced.stderr], [0, ''])
  assert.match(forced.stdout, /Job updated\n[\s\S]*Job is Completed\./)
  assert.doesNotMatch(forced.stdout, /Job submitted\n/, 'the story of an earlier version')
  const rerun = await saltcod(['job', 'rerun', 'again'], { env })
  assert.deepEqual([rerun.code, rerun.stderr], [0, ''])
  assert.match(rerun.stdout, /^Job j-\S+ runs again, as version 3\.\n.*rerun requested\n[\s\S]*Completed\./)
  const first = await saltcod(['job', 'rerun', 'again', '-v', '1', '--no-wait', '--id-only'], { env })
  assert.match(first.stdout, /^j-[0-9a-f-]{36}\n$/)
  const none = await saltcod(['job', 'rerun', 'again', '--version', '99'], { env })
  assert.equal(none.code, 1)
  assert.match(none.stderr, /^Error: job version 99 not found for job j-/)
  for (const shell of ['bash', 'fish'])
    assert.match((await saltcod(['completion', shell])).stdout, /rerun[\s\S]*--version/)
})

test('a name is looked up in the namespace that is given', async () => {
  const { env } = node
  const submit = async (Namespace: string): Promise<string> => {
    const spec = {
      Name: 'twin',
      Namespace,
      Type: 'service',
      Tasks: [{ Name: 'a', Engine: { Type: 'exec', Params: { Command: 'sleep', Arguments: ['600'] } } }],
    }
    const run = await saltcod(['job', 'run', '--id-only', '--no-wait', '-'], {
      env,
      input: JSON.stringify(spec),
    })
    return run.stdout.trim()
  }
  const there = await submit('science')
  const here = await submit('default')
  const inScience = ['twin', '--namespace', 'science']
  const json = ['--output', 'json']
  const described = await saltcod(['job', 'describe', ...inScience, ...json], { env })
  assert.equal((JSON.parse(described.stdout) as WireGetJobAnswer).Job.ID, there)
  const without = await saltcod(['job', 'describe', 'twin', ...json], { env })
  assert.equal((JSON.parse(without.stdout) as WireGetJobAnswer).Job.ID, here)
  const history = await saltcod(['job', 'history', ...inScience, ...json], { env })
  assert.equal((JSON.parse(history.stdout) as WireHistory[])[0]?.JobID, there)
  const executions = await saltcod(['job', 'executions', ...inScience, ...json], { env })
  assert.equal((JSON.parse(executions.stdout) as WireExecution[])[0]?.JobID, there)
  for (const verb of [['hold', '--reason', 'audit'], ['release']]) {
    const held = await saltcod(['job', ...verb, ...inScience, ...json], { env })
    assert.equal((JSON.parse(held.stdout) as { JobID: string }).JobID, there)
  }
  assert.equal((await saltcod(['job', 'stop', ...inScience], { env })).code, 0)
  const again = await saltcod(['job', 'rerun', ...inScience, '--id-only', '--no-wait'], { env })
  assert.equal(again.stdout, `${there}\n`)
  assert.equal((await saltcod(['job', 'stop', 'twin'], { env })).code, 0)
  assert.equal((await saltcod(['job', 'stop', ...inScience], { env })).code, 0)
  assert.equal((await saltcod(['job', 'logs', ...inScience], { env })).code, 0)
  const nowhere = await saltcod(['job', 'logs', 'twin', '--namespace', 'nowhere'], { env })
  assert.match(nowhere.stderr, /^Error: job not found/)
})

test('what is not there is named, with what to do next, whatever asks for it', async () => {
  const { env } = node
  const of = (verb: string): readonly string[] => ['job', verb, 'nope']
  for (const [command, hint] of [
    ...['describe', 'history', 'executions', 'logs', 'stop', 'release', 'rerun'].map(
      (verb) => [of(verb), 'list the jobs'] as const,
    ),
    [[...of('logs'), '--follow'], 'list the jobs'],
    [[...of('hold'), '--reason', 'x'], 'list the jobs'],
    [['node', 'describe', 'nope'], 'list the nodes'],
  ] as const) {
    const { code, stdout, stderr } = await saltcod(command, { env })
    const what = command[0]
    assert.deepEqual(
      [code, stdout, stderr],
      [1, '', `Error: ${what} not found: nope\nHint: ${hint} to see what is there\n`],
      command.join(' '),
    )
  }
  const run = await saltcod(['job', 'run', '--id-only', '-'], { env, input: JSON.stringify(SILENT) })
  const id = run.stdout.split('\n')[0] ?? ''
  const logs = await saltcod(['job', 'logs', id, '--execution-id', 'e-none'], { env })
  assert.match(
    logs.stderr,
    /^Error: unable to find execution e-none .*\nHint: list the executions of the job /,
  )
})

test('that an engine writes no output is said, where there is none', async () => {
  const { env } = node
  const run = await saltcod(['job', 'run', '--id-only', '-'], {
    env,
    input: JSON.stringify({ ...SILENT, Name: 'mute' }),
  })
  for (const flags of [[], ['--follow']]) {
    assert.deepEqual(await saltcod(['job', 'logs', run.stdout.split('\n')[0] ?? '', ...flags], { env }), {
      code: 0,
      stdout: '',
      stderr: 'Note: the engine noop runs no process, and so writes no output\n',
    })
  }
})

test('an empty id is wrong usage, whatever is asked of it', async () => {
  const { env } = node
  const verbs = ['describe', 'history', 'executions', 'logs', 'stop', 'release', 'rerun']
  const commands = [
    ...verbs.map((verb) => ['job', verb]),
    ['job', 'hold', '--reason', 'x'],
    ['archive', 'show'],
    ['archive', 'restore'],
  ]
  for (const command of commands) {
    for (const id of ['', ' ']) {
      const ran = await saltcod([...command, id], { env })
      assert.deepEqual([ran.code, ran.stdout], [2, ''], command.join(' '))
      assert.equal(ran.stderr, 'Error: <id> is empty\nHint: see the usage with --help\n')
    }
  }
})

test('keys that nothing reads are told, unless nobody wants to know', async () => {
  const { env } = node
  const spec = { Type: 'batch', Tasks: [{ Name: 'a', Timeout: 5, Engine: { Type: 'noop' } }] }
  const input = JSON.stringify(spec)
  const told = await saltcod(['job', 'run', '--no-wait', '-'], { env, input })
  assert.equal(told.stderr, 'Warning: unknown key Tasks[0].Timeout is ignored; did you mean Timeouts?\n')
  const hidden = await saltcod(['job', 'run', '--no-wait', '--hide-warnings', '-'], { env, input })
  assert.equal(hidden.stderr, '')
})
