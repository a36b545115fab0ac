import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { WASM } from '../../src/engines/wasm/parameters.ts'
import { WasmEngine } from '../../src/engines/wasm/wasm-engine.ts'
import { parameterLines } from '../../src/spec/parameters.ts'
import { processesInside, wholeTask } from '../compute/work-bench.ts'
import { asDataUrl, assemble, guest, READ, WRITE } from './guest.ts'
import { inline, WasmBench } from './wasm-bench.ts'

let bench: WasmBench

beforeEach(() => {
  bench = new WasmBench()
})

describe('a WebAssembly job', () => {
  test('writes to its streams and returns', async () => {
    const outcome = await bench.runGuest(
      (text) => `(call $write (i32.const 1) ${text('out\n')}) (call $write (i32.const 2) ${text('err\n')})`,
    )
    expect(outcome).toEqual({
      exitCode: 0,
      signal: null,
      stdout: 'out\n',
      stdoutTruncated: false,
      stderr: 'err\n',
      stderrTruncated: false,
      errorMessage: null,
      reason: 'exited',
      ranMs: expect.any(Number) as number,
    })
  })

  test('loses nothing of a long output', async () => {
    const outcome = await bench.runGuest(
      () => `(local $i i32)
      (memory.fill (i32.const 100000) (i32.const 120) (i32.const 100000))
      (loop $l
        (call $write (i32.const 1) (i32.const 100000) (i32.const 100000))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $i) (i32.const 80))))`,
    )
    expect(outcome).toMatchObject({ exitCode: 0, stdout: 'x'.repeat(2_048), stdoutTruncated: true })
    expect(readFileSync(join(bench.directory, 'work/stdout'))).toHaveLength(8_000_000)
  })

  test('grows its memory and writes lines all along', async () => {
    const line = 'a line of a log, as an honest program writes it\n'
    const module = guest((text) => {
      const times = (count: number, body: string): string => `(local.set $i (i32.const 0))
        (loop $l${count} ${body} (call $write (i32.const 1) ${text(line)})
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l${count} (i32.lt_u (local.get $i) (i32.const ${count}))))`
      return `(local $i i32)
        ${times(2_000, '(drop (memory.grow (i32.const 16)))')}
        ${times(20_000, '')}`
    })
    // Where calls go astray, they do so in most runs, not in each.
    for (let run = 0; run < 3; run += 1) {
      expect(await bench.run(module)).toMatchObject({ exitCode: 0, signal: null, errorMessage: null })
      expect(readFileSync(join(bench.directory, 'work/stdout'), 'utf8')).toBe(line.repeat(22_000))
      rmSync(join(bench.directory, 'work'), { recursive: true })
    }
  })

  test.each([0, 7, 255, 300])('proc_exit(%i) is its exit code and no failure', async (code) => {
    const outcome = await bench.runGuest(() => `(call $exit (i32.const ${code})) unreachable`)
    expect(outcome).toMatchObject({ exitCode: code, errorMessage: null, reason: 'exited' })
  })

  test('a trap fails it with exit code 1', async () => {
    const outcome = await bench.runGuest(
      (text) => `(call $write (i32.const 1) ${text('before')}) unreachable`,
    )
    expect(outcome).toMatchObject({ exitCode: 1, stdout: 'before', reason: 'exited' })
    expect(outcome.errorMessage).toBe('the WASM module trapped: unreachable')
  })

  test.each([
    ['traps', 'unreachable', 'unreachable'],
    ['runs out of stack', '(call $s)', 'Maximum call stack size exceeded'],
  ])('so does a start function that %s', async (_what, body, message) => {
    const text = `(module (memory (export "memory") 1) (func $s ${body}) (start $s) (func (export "_start")))`
    expect(await bench.run(assemble(text))).toMatchObject({
      exitCode: 1,
      reason: 'exited',
      errorMessage: `the WASM module trapped: ${message}`,
    })
  })

  test('data that its memory does not hold is no end of its own', async () => {
    const text = `(module (memory (export "memory") 1) (data (i32.const 65536) "x") (func (export "_start")))`
    const outcome = await bench.run(assemble(text))
    expect(outcome).toMatchObject({ exitCode: null, reason: 'start-failed' })
    expect(outcome.errorMessage).toContain('the WASM module cannot be loaded')
  })

  test('a stack overflow is a trap', async () => {
    const module = assemble('(module (memory (export "memory") 1) (func $f (export "_start") (call $f)))')
    expect(await bench.run(module)).toMatchObject({
      exitCode: 1,
      errorMessage: expect.stringContaining('call stack'),
    })
  })

  test('is given its parameters after an empty name, and its own environment only', async () => {
    const list = (sizes: string, get: string): string => `
      (call $check (call ${sizes} (i32.const 20) (i32.const 24)))
      (call $check (call ${get} (i32.const 2000) (i32.const 3000)))
      (call $write (i32.const 1) (i32.const 3000) (i32.load (i32.const 24)))`
    const { stdout } = await bench.runGuest(
      () => list('$args_sizes', '$args_get') + list('$env_sizes', '$env_get'),
      {
        params: { Parameters: ['one', 'two words', ''] },
        env: { B: '2', A: 'ä' },
      },
    )
    const [executionId] = /e-wasm-\d+-\d+/.exec(stdout) ?? ['']
    const env = [
      'A=ä',
      `BACALHAU_EXECUTION_ID=${executionId}`,
      'BACALHAU_JOB_ID=j-test',
      'BACALHAU_JOB_TYPE=batch',
      'B=2',
    ]
    expect(stdout.split('\0')).toEqual(['', 'one', 'two words', '', ...env.sort(), ''])
  })

  test('reads its inputs and writes its results, by path and by name', async () => {
    const create = (fd: number, name: string): string =>
      `(call $write (call $open (i32.const ${fd}) ${name} (i32.const 1) (i64.const ${WRITE})) `
    const outcome = await bench.runGuest(
      (text) => `
      (call $cat (call $open (i32.const 3) ${text('inputs/text.txt')} (i32.const 0) (i64.const ${READ})))
      ${create(4, text('by-path'))} ${text('1')})
      ${create(5, text('by-name'))} ${text('2')})`,
    )
    expect(outcome).toMatchObject({ exitCode: 0, stdout: 'text of the input' })
    expect(bench.hostFile('outputs/counts/by-path')).toBe('1')
    expect(bench.hostFile('outputs/counts/by-name')).toBe('2')
  })

  test('runs another entrypoint, after its _initialize', async () => {
    const module = assemble(`(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (global $code (mut i32) (i32.const 1))
      (func (export "_initialize") (global.set $code (i32.const 5)))
      (func (export "main") (call $exit (global.get $code))))`)
    expect(await bench.run(module, { params: { Entrypoint: 'main' } })).toMatchObject({ exitCode: 5 })
  })

  test('may have a start of its own beside the entrypoint', async () => {
    const module = assemble(
      '(module (memory (export "memory") 1) (func (export "_start") unreachable) (func (export "other")))',
    )
    expect(await bench.run(module, { params: { Entrypoint: 'other' } })).toMatchObject({
      exitCode: 0,
      errorMessage: null,
    })
  })

  test('links import modules, by alias and by path', async () => {
    const library = assemble('(module (func (export "code") (result i32) (i32.const 9)))')
    const user = (name: string): Buffer =>
      assemble(`(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "${name}" "code" (func $code (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (call $code))))`)
    const byPath = { params: { ImportModules: ['/lib/l.wasm'] }, inputs: [inline(library, '/lib/l.wasm')] }
    expect(await bench.run(user('/lib/l.wasm'), byPath)).toMatchObject({ exitCode: 9 })
    const unlisted = { inputs: [{ ...inline(library, '/lib/l.wasm'), Alias: 'lib' }] }
    expect(await bench.run(user('lib'), unlisted)).toMatchObject({ exitCode: 9 })
    const older = {
      params: { ImportModules: [{ Source: inline(library, '').Source, Alias: 'lib', Target: '' }] },
    }
    expect(await bench.run(user('lib'), older)).toMatchObject({ exitCode: 9 })
    const lastPart = { inputs: [{ ...inline(library, 'imports/l.wasm'), Alias: 'file:///somewhere' }] }
    for (const name of ['l.wasm', 'imports/l.wasm', '/imports/l.wasm', 'file:///somewhere'])
      expect(await bench.run(user(name), lastPart)).toMatchObject({ exitCode: 9 })
    // What names a module as a whole goes before what ends like it.
    const other = assemble('(module (func (export "code") (result i32) (i32.const 8)))')
    const two = { inputs: [inline(library, '/a/l.wasm'), { ...inline(other, '/b/m.wasm'), Alias: 'l.wasm' }] }
    expect(await bench.run(user('l.wasm'), two)).toMatchObject({ exitCode: 8 })
    const missing = await bench.run(user('nowhere'))
    expect(missing).toMatchObject({
      reason: 'start-failed',
      errorMessage: expect.stringContaining("'nowhere'"),
    })
  })

  test('takes the entry module by its target, with or without a slash, and by its alias', async () => {
    const module = guest(() => '(call $exit (i32.const 6))')
    const inputs = [{ ...inline(module, 'main.wasm'), Alias: 'https://example.org/../main.wasm' }]
    for (const EntryModule of ['main.wasm', '/main.wasm', './main.wasm', 'https://example.org/../main.wasm'])
      expect(await bench.run(module, { params: { EntryModule }, inputs })).toMatchObject({ exitCode: 6 })
    const inDirectory = { params: { EntryModule: 'lib' }, inputs: [inline(module, 'lib/no-suffix')] }
    expect(await bench.run(module, inDirectory)).toMatchObject({ exitCode: 6 })
  })

  test('takes the entry module as an input source and the environment as older clients send them', async () => {
    const module = guest(
      () =>
        '(call $check (call $env_sizes (i32.const 20) (i32.const 24))) (call $exit (i32.load (i32.const 20)))',
    )
    const entry = { Source: { Type: 'inline', Params: { URL: asDataUrl(module) } }, Alias: 'x', Target: '' }
    const params = {
      EntryModule: entry,
      EnvironmentVariables: { A: '1', B: '2' },
      ImportModules: null,
      Parameters: null,
    }
    // The usual module of these tests lies where the older form's default target is.
    await expect(bench.run(module, { params })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    const task = wholeTask({ Engine: { Type: 'wasm', Params: params } })
    const usual = await bench.stagedRun(module)
    const outcome = await bench.runStaged({ ...usual, task, work: await bench.stage(task) })
    expect(outcome).toMatchObject({ exitCode: 5 })
  })
})

describe('a WebAssembly job that cannot start', () => {
  test.each([
    ['missing', 'unable to find the entrypoint'],
    ['memory', 'unable to find the entrypoint'],
  ])('entrypoint %s', async (entrypoint, message) => {
    const outcome = await bench.run(
      guest(() => ''),
      { params: { Entrypoint: entrypoint } },
    )
    expect(outcome).toMatchObject({ reason: 'start-failed', exitCode: null })
    expect(outcome.errorMessage).toContain(`${message} '${entrypoint}' in the WASM module`)
  })

  test.each([
    ['text', Buffer.from('not a module')],
    ['nothing', Buffer.alloc(0)],
    ['half a module', guest(() => '').subarray(0, 200)],
  ])('a file of %s says that it is no module', async (_name, bytes) => {
    const outcome = await bench.run(bytes)
    expect(outcome).toMatchObject({ reason: 'start-failed', exitCode: null })
    expect(outcome.errorMessage).toContain('the WASM module cannot be loaded')
  })

  test('a module that no input brings in', async () => {
    const outcome = await bench.run(
      guest(() => ''),
      { params: { EntryModule: '/other.wasm' } },
    )
    expect(outcome.errorMessage).toBe(
      'wasm: no input brings in the module /other.wasm; give the Target or the Alias of the input that does',
    )
  })

  test.each([
    [{}, 'wasm: EntryModule is missing; give the Target or the Alias of an input'],
    [
      { EntryModule: 7 },
      'wasm: EntryModule must be the Target or the Alias of an input, or an input source whose keys are each there once',
    ],
    [{ EntryModule: ' ' }, 'wasm: EntryModule is missing; give the Target or the Alias of an input'],
    [{ entrymodule: 'a\0' }, 'wasm: EntryModule must not hold a NUL character'],
    [{ EntryModule: '/a', Parameters: 'x' }, 'wasm: Parameters must be a list of texts'],
    [{ EntryModule: '/a', ImportModules: {} }, 'wasm: ImportModules must be a list'],
    [
      { EntryModule: '/a', EnvironmentVariables: { A: 1 } },
      'wasm: EnvironmentVariables must be an object of texts',
    ],
  ])('parameters %j are refused', (params, problem) => {
    expect(parameterLines(WASM, params)).toEqual([problem])
  })
})

describe('the bounds of a WebAssembly job', () => {
  test('time: an endless loop is ended', async () => {
    const outcome = await bench.runGuest(
      (text) => `(call $write (i32.const 1) ${text('on')}) (loop $l (br $l))`,
      {
        limits: { timeMs: 500 },
      },
    )
    expect(outcome).toMatchObject({ reason: 'timeout', exitCode: null, stdout: 'on' })
    expect(outcome.errorMessage).toBe('it ran longer than its limit of 500ms')
  })

  const hog = '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable'

  test('memory: a guest grows no further than its limit', async () => {
    const outcome = await bench.runGuest(() => hog, { limits: { memoryBytes: 64 * 1024 * 1024 } })
    expect(outcome).toMatchObject({ reason: 'memory', exitCode: 1 })
    expect(outcome.errorMessage).toMatch(
      /trapped: unreachable, with 6\d{7} bytes of memory in use of its limit of 67108864/,
    )
  })

  test("memory: the operator's limit holds for a job that names none", async () => {
    const engine = new WasmEngine({ memoryLimitBytes: 32 * 1024 * 1024 })
    const staged = await bench.stagedRun(
      guest(() => hog),
      { limits: { memoryBytes: null } },
    )
    const outcome = await (await engine.prepare(staged, { signal: bench.stopper.signal })).go()
    expect(outcome).toMatchObject({ reason: 'memory', exitCode: 1 })
    expect(outcome.errorMessage).toMatch(/of its limit of 33554432$/)
  })

  test('memory: a guest that copes with less goes on', async () => {
    const cope =
      '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (call $exit (memory.size))'
    expect(await bench.runGuest(() => cope, { limits: { memoryBytes: 10 * 65_536 + 1 } })).toMatchObject({
      exitCode: 11,
    })
  })

  test('memory: one that begins with more is not begun', async () => {
    const module = assemble('(module (memory (export "memory") 1000) (func (export "_start")))')
    const outcome = await bench.run(module, { limits: { memoryBytes: 999 * 65_536 } })
    expect(outcome).toMatchObject({ reason: 'memory', exitCode: null })
    expect(outcome.errorMessage).toBe(`it needs more memory than its limit of ${999 * 65_536} bytes`)
  })

  test('files: none grows beyond the limit', async () => {
    const outcome = await bench.runGuest(
      (text) => `(local $fd i32) (local $i i32)
      (local.set $fd (call $open (i32.const 4) ${text('big')} (i32.const 1) (i64.const ${WRITE})))
      (loop $l (call $write (local.get $fd) (i32.const 0) (i32.const 65536)) (br $l))`,
      { limits: { outputBytes: 300_000 } },
    )
    // 22 is EFBIG: the guest is told, and may cope.
    expect(outcome).toMatchObject({ exitCode: 22, errorMessage: null })
    expect(bench.hostFile('outputs/counts/big')).toHaveLength(300_000)
  })

  test('cancel: it is ended and nothing is left', async () => {
    const staged = await bench.stagedRun(
      guest((text) => `(call $write (i32.const 1) ${text('up')}) (loop $l (br $l))`),
    )
    const prepared = await bench.engine.prepare(staged, { signal: bench.stopper.signal })
    const outcome = prepared.go()
    const output = (): string | undefined => {
      const path = join(bench.directory, 'work/stdout')
      return existsSync(path) ? readFileSync(path, 'utf8') : undefined
    }
    await eventually('the guest is up', () => output() === 'up')
    expect(processesInside(bench.directory)).toHaveLength(1)
    bench.stopper.abort()
    expect(await outcome).toMatchObject({ reason: 'cancelled', stdout: 'up' })
    expect(processesInside(bench.directory)).toEqual([])
  })
})
