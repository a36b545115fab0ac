import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import type { WireJob } from '@saltcod/bacalhau-records'
import { afterAll, beforeAll, test } from 'vitest'
import { plainEnvironment } from '../../../../test/plain-environment.ts'
import { jobUntil, keptNode, PROGRAM, type Served, saltcod, saltcodInto } from './binary.ts'

const LINES = 40_000

let node: Served
let id: string
beforeAll(async () => {
  node = await keptNode(['--allow-exec'])
  const Params = { Command: 'seq', Arguments: [String(LINES)] }
  const job = {
    Type: 'batch',
    Meta: { long: 'x'.repeat(300_000) },
    Tasks: [{ Name: 'main', Engine: { Type: 'exec', Params }, Network: { Type: 'Host' } }],
  }
  const run = await saltcod(['job', 'run', '--id-only', '--no-wait', '-'], {
    env: node.env,
    input: JSON.stringify(job),
  })
  assert.equal(run.code, 0, run.stderr)
  id = run.stdout.trim()
  await jobUntil(node.url, id, 'Completed')
})
afterAll(() => node.end())

test('whoever reads slowly still reads everything', async () => {
  const slowly = '{ sleep 0.5; cat; }'
  const list = await saltcodInto(slowly, ['job', 'list', '--output', 'json'], node.env)
  assert.equal(list.stderr, 'exit code 0\n')
  assert.equal((JSON.parse(list.stdout) as WireJob[])[0]?.Meta['long']?.length, 300_000)
  const logs = await saltcodInto(slowly, ['job', 'logs', id], node.env)
  assert.equal(logs.stderr, 'exit code 0\n')
  const lines = logs.stdout.trimEnd().split('\n')
  assert.deepEqual([lines.length, lines.at(-1)], [LINES, String(LINES)])
})

test('what a job wrote is escaped on a terminal and raw in a pipe', async () => {
  const hostile = '\\033]0;title\\007\\033[2Jshown\\342\\200\\256\\330\\234'
  const job = {
    Type: 'batch',
    Name: 'hostile',
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'exec', Params: { Command: 'printf', Arguments: [hostile] } },
        Network: { Type: 'Host' },
      },
    ],
  }
  const run = await saltcod(['job', 'run', '-'], { env: node.env, input: JSON.stringify(job) })
  assert.equal(run.code, 0, run.stderr)
  const raw = await saltcod(['job', 'logs', 'hostile'], { env: node.env })
  assert.equal(raw.stdout, '\u001b]0;title\u0007\u001b[2Jshown\u202e\u061c')
  for (const verb of ['logs', 'describe']) {
    const command = `${process.execPath} ${PROGRAM} job ${verb} hostile`
    const shown = execFileSync('script', ['-qec', command, '/dev/null'], {
      env: { ...plainEnvironment(), TERM: 'dumb', ...node.env },
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    })
    assert.match(shown, /\\u001b\]0;title\\u0007\\u001b\[2Jshown\\u202e\\u061c/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal.
    assert.doesNotMatch(shown, /[\u001b\u0007\u202e\u061c]/)
  }
})

test('whoever stops reading ends the command in silence', async () => {
  for (const argv of [
    ['job', 'list', '--output', 'json'],
    ['job', 'logs', id],
  ]) {
    const { stderr, stdout } = await saltcodInto('head -1', argv, node.env)
    assert.equal(stderr, 'exit code 0\n')
    assert.equal(stdout.split('\n').length, 2)
  }
})
