import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { COMMANDS, keptNode, type Served, type saltcod as start } from './binary.ts'

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

const saltcod: typeof start = (argv, options) => session.run(argv, options)

test('whoever reads the output of a job in shares learns of the others', async () => {
  const { env } = node
  const Params = { Command: 'sh', Arguments: ['-c', 'echo share $BACALHAU_PARTITION_INDEX'] }
  const task = { Name: 'a', Engine: { Type: 'exec', Params }, Network: { Type: 'Host' } }
  const spec = { Type: 'batch', Count: 3, Tasks: [task] }
  const run = await saltcod(['job', 'run', '--follow', '-'], { env, input: JSON.stringify(spec) })
  assert.equal(run.code, 0, run.stderr)
  const told =
    /^Note: this is what execution (e-\w+) wrote, one of 3 that share the job; of the others: saltcod (job logs j-\w+ --execution-id (e-\w+)) \(likewise (e-\w+)\)\n$/
  const [, ...words] = told.exec(run.stderr) ?? assert.fail(run.stderr)
  const [read, command = '', ...others] = words
  assert.equal(new Set([read, ...others]).size, 3)
  const other = await saltcod(command.split(' '), { env })
  assert.deepEqual([other.code, other.stderr], [0, ''])
  assert.match(other.stdout, /^share \d\n$/)
  assert.ok(!run.stdout.includes(other.stdout), run.stdout)
  const newest = await saltcod(['job', 'logs', command.split(' ')[2] ?? ''], { env })
  assert.match(newest.stdout, /^share \d\n$/)
  assert.match(newest.stderr, told)
})

test('whoever follows a job learns what is missing of its results', async () => {
  const { env } = node
  const Params = { Command: 'sh', Arguments: ['-c', 'echo kept > out/kept; ln -s kept out/link'] }
  const ResultPaths = [{ Name: 'out', Path: '/out' }]
  const task = { Name: 'a', Engine: { Type: 'exec', Params }, Network: { Type: 'Host' }, ResultPaths }
  const spec = { Type: 'batch', Tasks: [task] }
  const run = await saltcod(['job', 'run', '--follow', '-'], { env, input: JSON.stringify(spec) })
  assert.equal(run.code, 0, run.stderr)
  assert.match(run.stderr, /^Warning: left out of the results of execution e-\w+: out\/link [^\n]*link\n$/)
})
