import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WireExecution, WireGetJobAnswer, WireHistory, WireJob } from '@saltcod/bacalhau-records'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { timeText } from '../../src/cli/words.ts'
import { COMMANDS, keptNode, type Served } from './binary.ts'

let session: ProgramSession
let node: Served

beforeAll(async () => {
  session = new ProgramSession(COMMANDS)
  node = await keptNode(['--allow-exec'])
})

afterAll(async () => {
  await session.close()
  await node.end()
})

async function told(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await session.run(args, { env: node.env })
  expect([code, stderr]).toEqual([0, ''])
  return stdout
}

async function read<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await told(...args, '--output', 'json')) as T
}

/** A file of a job that says a word. */
function saying(word: string): string {
  const path = join(temporaryDirectory(), 'job.json')
  const Engine = { Type: 'exec', Params: { Command: 'echo', Arguments: [word] } }
  const Tasks = [{ Name: 'main', Engine, Network: { Type: 'Host' } }]
  writeFileSync(path, JSON.stringify({ Name: 'versions', Type: 'batch', Tasks }))
  return path
}

test('a version of a job is looked at and run again by its number', async () => {
  await told('job', 'run', saying('one'))
  await told('job', 'run', saying('two'))
  const versions = await read<WireJob[]>('job', 'versions', 'versions')
  expect(versions.map(({ Version }) => Version)).toEqual([1, 2])
  const created = (await told('job', 'versions', 'versions', '--output', 'csv')).trim().split('\n').slice(1)
  expect(created.map((line) => line.split(',')[1])).toEqual(
    versions.map(({ ModifyTime }) => timeText(ModifyTime)),
  )
  const { Job, History } = await read<WireGetJobAnswer>('job', 'describe', 'versions', '--version', '1')
  expect(Job.Tasks[0]?.Engine.Params).toMatchObject({ Arguments: ['one'] })
  expect(new Set(History?.Items.map(({ JobVersion }) => JobVersion))).toEqual(new Set([1]))
  const history = await read<WireHistory[]>('job', 'history', 'versions', '-v', '1')
  expect(history).toEqual(History?.Items)
  const all = await read<WireHistory[]>('job', 'history', 'versions', '--all-versions')
  expect(new Set(all.map(({ JobVersion }) => JobVersion))).toEqual(new Set([1, 2]))
  const executions = await read<WireExecution[]>('job', 'executions', 'versions', '--version', '1')
  expect(executions.map(({ JobVersion }) => JobVersion)).toEqual([1])
  expect(await told('job', 'logs', 'versions', '--version', '1')).toBe('one\n')
  expect(await told('job', 'logs', '-f', 'versions', '--version', '1')).toBe('one\n')
  expect(await told('job', 'logs', '--tail', 'versions')).toBe('two\n')
  expect(await told('job', 'rerun', 'versions', '-v', '1', '--wait=false')).toMatch(/as version 3\.\n$/)
})

test('a job is told execution by execution, and where it ran', async () => {
  const text = await told('job', 'run', '--force', '--group-events', '--node-details', saying('three'))
  const [job = -1, execution = -1, nodes = -1] = [/^Job$/m, /^Execution e-/m, /^CREATED .* NODE /m].map(
    (part) => text.search(part),
  )
  expect([job > 0, execution > job, nodes > execution]).toEqual([true, true, true])
  expect(text.slice(job, execution)).toMatch(/Job (?:submitted|updated)[\s\S]*Completed/)
  expect(text.slice(execution, nodes)).toMatch(/Requested execution[\s\S]*Running/)
})

test('listings are printed without a header, in the columns that are asked for', async () => {
  for (const command of [
    ['job', 'list'],
    ['job', 'executions', 'versions'],
    ['job', 'history', 'versions'],
    ['job', 'versions', 'versions'],
    ['node', 'list'],
  ]) {
    const [whole, bare] = [await told(...command), await told(...command, '--hide-header')]
    expect(whole.split('\n')).toHaveLength(bare.split('\n').length + 1)
    expect(bare).not.toMatch(/^[A-Z. ]+$/m)
  }
  const shown = await told('node', 'list', '--show', 'labels,version', '--show', 'features')
  expect(shown).toMatch(
    /^ID +APPROVAL +STATUS +LABELS +VERSION +ARCHITECTURE +OS +ENGINES +INPUTS +PUBLISHERS\n/,
  )
  expect(shown).toMatch(/os_type=linux/)
})

test('what Bacalhau finds its node by finds ours', async () => {
  const port = new URL(node.url).port
  const { code, stdout } = await session.run(
    ['node', 'list', '--api-host', '127.0.0.1', '--api-port', port, '--data-dir', node.directory],
    { env: {} },
  )
  expect([code, stdout]).toEqual([0, expect.stringContaining('connected')])
})

test.each([
  ['job get x --raw', '--raw', /each execution of several in a directory/],
  ['job get x --download-timeout-secs 5s', '--download-timeout-secs', /--wait-for-node/],
  ['job history x --order-reversed', '--order-reversed', /in the order/],
  ['job list --no-style', '--no-style', /NO_COLOR=1/],
  ['node list --next-token x', '--next-token', /--limit/],
  ['wasm run -U http://h/l.wasm m.wasm', '--import-module-urls', /-i URL:\/lib\.wasm -I \/lib\.wasm/],
  ['wasm run -c a=b m.wasm', '-c', /--constraints SELECTOR/],
  ['wasm run -s a=b m.wasm', '--selector', /--constraints SELECTOR/],
])('saltcod %s says what does the same', async (line, flag, hint) => {
  const { code, stdout, stderr } = await session.run(line.split(' '), { env: {} })
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(`Error: there is no option ${flag} here, which Bacalhau has\n`)
  expect(stderr).toMatch(hint)
})
