import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { keptTerminal } from '../../../../test/kept-terminal.ts'
import { ProgramSession, type SessionRun } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { createCommandLine } from '../../src/cli/program.ts'
import { COMMANDS, type Served, serveNode } from './binary.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

/** What a command does where it is asked of a node: it does it, or says in one line why not. */
type Outcome = 'done' | RegExp

interface Row {
  readonly command: string
  readonly requester: Outcome
  readonly compute: Outcome
}

const NOT_HERE =
  /^Error: node n-away is a compute node alone: .*\nHint: ask its requester at http:\/\/127\.0\.0\.1:\d+ /
const NO_ARCHIVE = /^Error: this node keeps no archive\nHint: set Node\.Requester\.Archive\.Directory /
const NO_TOKEN = /^(?:Note: .*\n)?Error: token not found: none\n/
const NO_AUTHORITY = /^Error: \S+ has no authority of its own\n/
const job = (command: string, requester: Outcome = 'done', compute: Outcome = NOT_HERE): Row => ({
  command: `job ${command}`,
  requester,
  compute,
})
const node = (command: string, requester: Outcome = 'done'): Row => ({
  command: `node ${command}`,
  requester,
  compute: NOT_HERE,
})
const anywhere = (command: string): Row => ({ command, requester: 'done', compute: 'done' })

/** In the order in which they are tried: each finds what those before it left. */
const ROWS: readonly Row[] = [
  job('run --id-only JOB'),
  job('validate JOB', 'done', 'done'),
  job('rerun hello'),
  job('list'),
  job('describe hello'),
  job(
    'why hello',
    'done',
    /^Error: neither an execution nor a job with executions on this node: hello\nHint: /,
  ),
  job('history hello'),
  job('executions hello'),
  job('versions hello'),
  job('logs hello'),
  job('get hello', /^Error: job j-\S+ has no results: it is Completed\nHint: /),
  job('hold hello --reason kept'),
  job('release hello'),
  job('stop hello', /^Error: cannot stop job in state Completed\n$/),
  { command: 'docker run --no-wait ubuntu', requester: 'done', compute: NOT_HERE },
  {
    command: 'wasm run --no-wait -i http://127.0.0.1:9/x.wasm:/x.wasm /x.wasm',
    requester: 'done',
    compute: NOT_HERE,
  },
  node('list'),
  node('describe n-away'),
  node('approve n-away', /^Error: node n-away already approved\n$/),
  node('reject n-away'),
  node('drain n-away'),
  node('resume n-away'),
  node('label n-away rack=7'),
  node('delete n-away'),
  // There it removes what its requester does not know any more.
  anywhere('gc --dry-run'),
  {
    command: 'gc --dry-run --namespace ci',
    requester: 'done',
    compute: /^Error: namespace is a limit of jobs/,
  },
  {
    command: 'gc --max-count 1 --dry-run',
    requester: 'done',
    compute: /^Error: maxCount is a limit of jobs/,
  },
  { command: 'archive list', requester: NO_ARCHIVE, compute: NOT_HERE },
  { command: 'archive show hello', requester: NO_ARCHIVE, compute: NOT_HERE },
  { command: 'archive restore hello', requester: NO_ARCHIVE, compute: NOT_HERE },
  anywhere('compact'),
  anywhere('config list'),
  anywhere('config get Node.Type'),
  anywhere('config default'),
  anywhere('config init'),
  anywhere('recover --plan'),
  anywhere('token create --role reader'),
  anywhere('token list'),
  { command: 'token revoke none', requester: NO_TOKEN, compute: NO_TOKEN },
  { command: 'tls authority', requester: NO_AUTHORITY, compute: NO_AUTHORITY },
  anywhere('version'),
  anywhere('completion bash'),
  {
    command: 'serve',
    requester: /^Error: .*in use|is owned|runs|another process/,
    compute: /^Error: a node without the role requester needs the address of its requester\nHint: /,
  },
]

/** The words of every command that is not hidden and has no commands of its own. */
function commandsOf(command: Command, words: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [words.join(' ')]
  return command.commands
    .filter((inner) => !(inner as unknown as { readonly _hidden: boolean })._hidden)
    .flatMap((inner) => commandsOf(inner, [...words, inner.name()]))
}

function judge({ command }: Row, outcome: Outcome, { code, stderr }: SessionRun): void {
  const said = `${command} ended with ${code}: ${stderr}`
  if (outcome === 'done') {
    assert.equal(code, 0, said)
    return
  }
  assert.match(stderr, outcome, said)
  assert.ok([1, 2].includes(code), said)
}

test('every command says of a requester alone and of a compute node alone what it does or why not', async () => {
  const [home, away] = [temporaryDirectory(), temporaryDirectory()]
  const requester = await serveNode(home, ['--node-type', 'requester', '--node-id', 'n-home'])
  const compute = await serveNode(away, [
    ...['--node-type', 'compute', '--node-id', 'n-away', '--orchestrators', requester.url],
  ])
  const file = join(home, 'job.json')
  const Tasks = [{ Name: 'main', Engine: { Type: 'noop', Params: {} } }]
  writeFileSync(file, JSON.stringify({ Name: 'hello', Type: 'batch', Count: 1, Tasks }))
  await eventually('they are joined', () => requester.log().includes('node connected'))
  const words = commandsOf(createCommandLine(keptTerminal()))
  assert.deepEqual(
    words.filter((known) => !ROWS.some(({ command }) => `${command} `.startsWith(`${known} `))),
    [],
    'each command has its row',
  )
  const run = (row: Row, { env }: Served, id: string): Promise<SessionRun> =>
    session.run(row.command.replace('JOB', file).split(' '), { env: { ...env, BACALHAU_NODE_ID: id } })
  for (const row of ROWS) {
    judge(row, row.requester, await run(row, requester, 'n-home'))
    if (row.command !== 'serve') judge(row, row.compute, await run(row, compute, 'n-away'))
  }
  const removed = await run(anywhere('gc --dry-run'), compute, 'n-away')
  assert.equal(removed.stdout, 'Would remove 0 executions that the requester does not know any more.\n')
})

test('the plan of a restart names the node that is meant where none is, and says that a requester has none', async () => {
  const [home, away] = [temporaryDirectory(), temporaryDirectory()]
  const requester = await serveNode(home, ['--node-type', 'requester'])
  await serveNode(away, [
    ...['--node-type', 'compute', '--node-id', 'n-away', '--orchestrators', requester.url],
  ])
  const plan = (directory: string): Promise<SessionRun> =>
    session.run(['recover'], { env: { BACALHAU_DIR: directory } })
  const alone = await plan(home)
  assert.deepEqual(
    [alone.code, alone.stdout],
    [0, 'This node runs nothing: what it has to do waits in its job store, and its start goes on with it.\n'],
  )
  const other = await plan(away)
  assert.equal(other.code, 2)
  assert.match(other.stderr, /no node id was given, and \S+ has stores of n-away: .* --node-id \(n-away\)/)
})
