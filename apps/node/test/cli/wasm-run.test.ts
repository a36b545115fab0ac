import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { assemble } from '../engines/guest.ts'
import { COMMANDS, keptNode, type Served } from './binary.ts'

const EXIT_3 = assemble(`(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const 3))))`)

let session: ProgramSession
let node: Served

beforeAll(async () => {
  session = new ProgramSession(COMMANDS)
  node = await keptNode([])
})

afterAll(async () => {
  await session.close()
  await node.end()
})

/** Returns the job that a command line would submit. */
async function jobOf(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await session.run(['wasm', 'run', '--dry-run', ...args], { env: {} })
  expect([code, stderr]).toEqual([0, ''])
  return parse(stdout)
}

function moduleFile(): string {
  const path = join(temporaryDirectory(), 'exit3.wasm')
  writeFileSync(path, EXIT_3)
  return path
}

const inline = {
  Type: 'inline',
  Params: { URL: `data:application/wasm;base64,${EXIT_3.toString('base64')}` },
}

describe('wasm run', () => {
  test('runs a module that is a file, and tells how it ended', async () => {
    const { env } = node
    const run = await session.run(['wasm', 'run', '--exit-code', 'program', moduleFile()], { env })
    expect(run.code, run.stderr).toBe(3)
  })

  test('makes the job that Bacalhau makes of the same flags', async () => {
    const flags =
      '-i file:///tmp:/y -i src=http://h/x,dst=/z -i s3://b/k -i src=s3://b/k2/p,dst=/s,opt=region=eu,opt=endpoint=http://e -i ipfs://Qm1:/q -o out:/outputs --env A=b,C=d -l a=b,c --cpu 1 --memory 1gb -p local --timeout 50 --queue-timeout 6 --target all --name nn --namespace q --priority 4 --network none'
    const path = moduleFile()
    const constraints = ['--constraints', 'a=b,c!=d,e,f in (g,h),!i']
    expect(await jobOf(path, 'a', 'b', ...flags.split(' '), ...constraints)).toEqual({
      Name: 'nn',
      Namespace: 'q',
      Priority: 4,
      Type: 'ops',
      Constraints: [
        { Key: 'a', Operator: '=', Values: ['b'] },
        { Key: 'c', Operator: '!=', Values: ['d'] },
        { Key: 'e', Operator: 'exists', Values: [] },
        { Key: 'f', Operator: 'in', Values: ['g', 'h'] },
        { Key: 'i', Operator: '!', Values: [] },
      ],
      Labels: { a: 'b', c: '' },
      Tasks: [
        {
          Name: 'main',
          Engine: {
            Type: 'wasm',
            Params: { EntryModule: '/main.wasm', Entrypoint: '_start', Parameters: ['a', 'b'] },
          },
          Publisher: { Type: 'local', Params: {} },
          Env: { A: 'b', C: 'd' },
          Network: { Type: 'none', Domains: [] },
          InputSources: [
            {
              Source: { Type: 'local', Params: { SourcePath: '/tmp', ReadWrite: false } },
              Alias: 'file:///tmp',
              Target: '/y',
            },
            {
              Source: { Type: 'urlDownload', Params: { URL: 'http://h/x' } },
              Alias: 'http://h/x',
              Target: '/z',
            },
            {
              Source: { Type: 's3', Params: { Bucket: 'b', Key: 'k' } },
              Alias: 's3://b/k',
              Target: '/inputs',
            },
            {
              Source: {
                Type: 's3',
                Params: { Bucket: 'b', Key: 'k2/p', Region: 'eu', Endpoint: 'http://e' },
              },
              Alias: 's3://b/k2/p',
              Target: '/s',
            },
            { Source: { Type: 'ipfs', Params: { CID: 'Qm1' } }, Alias: 'ipfs://Qm1', Target: '/q' },
            { Source: inline, Target: '/main.wasm' },
          ],
          ResultPaths: [{ Name: 'out', Path: '/outputs' }],
          Resources: { CPU: '1', Memory: '1gb' },
          Timeouts: { TotalTimeout: 50, QueueTimeout: 6 },
        },
      ],
    })
  })

  test('finds the module by a URI, by the target of an input, and under another name', async () => {
    const task = async (...args: readonly string[]) => {
      const { Tasks } = (await jobOf(...args)) as { readonly Tasks: readonly [Record<string, unknown>] }
      const { Engine, InputSources } = Tasks[0]
      return { ...(Engine as { readonly Params: object }).Params, InputSources }
    }
    expect(await task('http://h/m.wasm', '--count', '3', '--', '-x', '--y')).toMatchObject({
      EntryModule: '/main.wasm',
      Parameters: ['-x', '--y'],
      InputSources: [
        { Source: { Type: 'urlDownload', Params: { URL: 'http://h/m.wasm' } }, Target: '/main.wasm' },
      ],
    })
    expect(await task(`${moduleFile()}:/my/e.wasm`)).toMatchObject({
      EntryModule: '/my/e.wasm',
      InputSources: [{ Source: inline, Target: '/my/e.wasm' }],
    })
    expect(await task('/lib/x.wasm', '-i', 'http://h/x:/lib/x.wasm', '-I', '/lib/x.wasm')).toMatchObject({
      EntryModule: '/lib/x.wasm',
      ImportModules: ['/lib/x.wasm'],
      InputSources: [{ Target: '/lib/x.wasm' }],
    })
  })

  test.each([
    [['nofile.wasm'], 1, /cannot read the module nofile\.wasm: it is no file, and no --input has it/],
    [['m.wasm', '-i', 'foo://x'], 2, /'foo:\/\/x' is invalid\. "foo:\/\/x" must begin with http:/],
    [['m.wasm', '-i', 's3://b/k,opt=colour=red'], 2, /opt=colour is not known here; there are region/],
    [['m.wasm', '-o', 'nocolon'], 2, /It must be name:path/],
    [['m.wasm', '-p', 'ftp://x'], 2, /must be local, noop, ipfs, or s3:/],
    [['m.wasm', '--env', 'A'], 2, /It must be name=value/],
    [['m.wasm', '--constraints', '=='], 2, /is invalid/],
    [['--wait', 'm.wasm'], 2, /It must be true or false/],
    [[], 2, /missing required argument 'module'/],
  ])('refuses %j', async (args, code, message) => {
    const run = await session.run(['wasm', 'run', ...args], { env: {} })
    expect(run).toMatchObject({ code, stderr: expect.stringMatching(message) })
  })
})
