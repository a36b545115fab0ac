import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EngineOutcome, EngineRun, RunLimits } from '../../../src/compute/engine/engine.ts'
import type { InputSource, TaskSpec } from '../../../src/compute/engine/task.ts'
import { WasmEngine } from '../../../src/compute/engine/wasm.ts'
import { DEFAULT_INPUT_POLICY } from '../../../src/compute/inputs/input-policy.ts'
import { stageWork } from '../../../src/compute/inputs/stage.ts'
import { makeDirectory, processesWith, removeDirectory, until, WIDE_LIMITS } from '../work-bench.ts'
import { asDataUrl, assemble, DIRECTORY, guest, READ, type Text, WRITE } from './guest.ts'

const engine = new WasmEngine({ graceMs: 200 })
let directory: string
let stopper: AbortController
let runs = 0

beforeEach(() => {
  directory = makeDirectory()
  stopper = new AbortController()
  writeFileSync(join(directory, 'secret'), 'secret of the host')
})
afterEach(() => removeDirectory(directory))

const inline = (bytes: Buffer | string, target: string): InputSource => ({
  Source: { Type: 'inline', Params: { URL: `data:;base64,${Buffer.from(bytes).toString('base64')}` } },
  Target: target,
})

interface Case {
  readonly params?: Record<string, unknown>
  readonly env?: Record<string, string>
  readonly inputs?: readonly InputSource[]
  readonly limits?: Partial<RunLimits>
}

async function stagedRun(module: Buffer, options: Case = {}): Promise<EngineRun> {
  const { params = {}, env = {}, inputs = [], limits = {} } = options
  const task: TaskSpec = {
    Engine: { Type: 'wasm', Params: { EntryModule: '/wasm/entry.wasm', ...params } },
    Env: env,
    InputSources: [
      inline(module, '/wasm/entry.wasm'),
      inline('text of the input', '/inputs/text.txt'),
      ...inputs,
    ],
    ResultPaths: [{ Name: 'counts', Path: '/outputs/counts' }],
  }
  runs += 1
  const work = await stageWork({
    workDir: join(directory, 'work'),
    inputs: engine.inputs(task),
    results: task.ResultPaths ?? [],
    policy: { ...DEFAULT_INPUT_POLICY, allowedPaths: [] },
    signal: stopper.signal,
  })
  return {
    executionId: `e-wasm-${process.pid}-${runs}`,
    attempt: 1,
    job: { id: 'j-test', type: 'batch' },
    task,
    work,
    limits: { ...WIDE_LIMITS, ...limits },
    environment: {},
  }
}

async function run(module: Buffer, options: Case = {}): Promise<EngineOutcome> {
  const prepared = await engine.prepare(await stagedRun(module, options), { signal: stopper.signal })
  return await prepared.go()
}

const runGuest = (body: (text: Text) => string, options: Case = {}): Promise<EngineOutcome> =>
  run(guest(body), options)

const hostFile = (path: string): string => readFileSync(join(directory, 'work/root', path), 'utf8')

describe('a WebAssembly job', () => {
  test('writes to its streams and returns', async () => {
    const outcome = await runGuest(
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
    })
  })

  test.each([0, 7, 255, 300])('proc_exit(%i) is its exit code and no failure', async (code) => {
    const outcome = await runGuest(() => `(call $exit (i32.const ${code})) unreachable`)
    expect(outcome).toMatchObject({ exitCode: code, errorMessage: null, reason: 'exited' })
  })

  test('a trap fails it with exit code 1', async () => {
    const outcome = await runGuest((text) => `(call $write (i32.const 1) ${text('before')}) unreachable`)
    expect(outcome).toMatchObject({ exitCode: 1, stdout: 'before', reason: 'exited' })
    expect(outcome.errorMessage).toBe('the WASM module trapped: unreachable')
  })

  test('a stack overflow is a trap', async () => {
    const module = assemble('(module (memory (export "memory") 1) (func $f (export "_start") (call $f)))')
    expect(await run(module)).toMatchObject({
      exitCode: 1,
      errorMessage: expect.stringContaining('call stack'),
    })
  })

  test('is given its parameters after an empty name, and its own environment only', async () => {
    const list = (sizes: string, get: string): string => `
      (call $check (call ${sizes} (i32.const 20) (i32.const 24)))
      (call $check (call ${get} (i32.const 2000) (i32.const 3000)))
      (call $write (i32.const 1) (i32.const 3000) (i32.load (i32.const 24)))`
    const { stdout } = await runGuest(
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
    const outcome = await runGuest(
      (text) => `
      (call $cat (call $open (i32.const 3) ${text('inputs/text.txt')} (i32.const 0) (i64.const ${READ})))
      ${create(4, text('by-path'))} ${text('1')})
      ${create(5, text('by-name'))} ${text('2')})`,
    )
    expect(outcome).toMatchObject({ exitCode: 0, stdout: 'text of the input' })
    expect(hostFile('outputs/counts/by-path')).toBe('1')
    expect(hostFile('outputs/counts/by-name')).toBe('2')
  })

  test('runs another entrypoint, after its _initialize', async () => {
    const module = assemble(`(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (global $code (mut i32) (i32.const 1))
      (func (export "_initialize") (global.set $code (i32.const 5)))
      (func (export "main") (call $exit (global.get $code))))`)
    expect(await run(module, { params: { Entrypoint: 'main' } })).toMatchObject({ exitCode: 5 })
  })

  test('may have a start of its own beside the entrypoint', async () => {
    const module = assemble(
      '(module (memory (export "memory") 1) (func (export "_start") unreachable) (func (export "other")))',
    )
    expect(await run(module, { params: { Entrypoint: 'other' } })).toMatchObject({
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
    expect(await run(user('/lib/l.wasm'), byPath)).toMatchObject({ exitCode: 9 })
    const unlisted = { inputs: [{ ...inline(library, '/lib/l.wasm'), Alias: 'lib' }] }
    expect(await run(user('lib'), unlisted)).toMatchObject({ exitCode: 9 })
    const older = {
      params: { ImportModules: [{ Source: inline(library, '').Source, Alias: 'lib', Target: '' }] },
    }
    expect(await run(user('lib'), older)).toMatchObject({ exitCode: 9 })
    const missing = await run(user('nowhere'))
    expect(missing).toMatchObject({
      reason: 'start-failed',
      errorMessage: expect.stringContaining("'nowhere'"),
    })
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
    const outcome = await run(Buffer.from('unused'), {
      params,
      // The other module lies elsewhere: the default target must be free.
      inputs: [],
    }).catch((error: unknown) => error)
    // `/wasm/entry.wasm` is taken by this test's usual input, so this is refused, and by name.
    expect(outcome).toMatchObject({ code: 'INPUT_INVALID' })
    const task: TaskSpec = { Engine: { Type: 'wasm', Params: params } }
    const usual = await stagedRun(module)
    const work = await stageWork({
      workDir: join(directory, 'work'),
      inputs: engine.inputs(task),
      results: [],
      policy: DEFAULT_INPUT_POLICY,
      signal: stopper.signal,
    })
    const prepared = await engine.prepare({ ...usual, task, work }, { signal: stopper.signal })
    expect(await prepared.go()).toMatchObject({ exitCode: 5 })
  })
})

describe('a WebAssembly job that cannot start', () => {
  test.each([
    ['missing', 'unable to find the entrypoint'],
    ['memory', 'unable to find the entrypoint'],
  ])('entrypoint %s', async (entrypoint, message) => {
    const outcome = await run(
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
    const outcome = await run(bytes)
    expect(outcome).toMatchObject({ reason: 'start-failed', exitCode: null })
    expect(outcome.errorMessage).toContain('the WASM module cannot be loaded')
  })

  test('a module that no input brings in', async () => {
    const outcome = await run(
      guest(() => ''),
      { params: { EntryModule: '/other.wasm' } },
    )
    expect(outcome.errorMessage).toBe(
      'wasm: no input brings in the module /other.wasm; give its path as the Target of an input',
    )
  })

  test.each([
    [{}, 'wasm: EntryModule is missing; give the target path of an input'],
    [{ EntryModule: 7 }, 'wasm: EntryModule must be the target path of an input, or an input source'],
    [{ EntryModule: '../x' }, 'wasm: EntryModule must be an absolute path, not "../x"'],
    [{ entrymodule: '/a/../../x' }, 'wasm: EntryModule must not hold "..", as "/a/../../x" does'],
    [{ EntryModule: '/a', Parameters: 'x' }, 'wasm: Parameters must be a list of texts'],
    [{ EntryModule: '/a', ImportModules: {} }, 'wasm: ImportModules must be a list'],
    [
      { EntryModule: '/a', EnvironmentVariables: { A: 1 } },
      'wasm: EnvironmentVariables must be an object of texts',
    ],
  ])('parameters %j are refused', (params, problem) => {
    expect(engine.validate(params)).toEqual([problem])
  })
})

describe('the bounds of a WebAssembly job', () => {
  test('time: an endless loop is ended', async () => {
    const outcome = await runGuest((text) => `(call $write (i32.const 1) ${text('on')}) (loop $l (br $l))`, {
      limits: { timeMs: 500 },
    })
    expect(outcome).toMatchObject({ reason: 'timeout', exitCode: null, stdout: 'on' })
    expect(outcome.errorMessage).toBe('it ran longer than its limit of 500 ms')
  })

  const hog = '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable'

  test('memory: a guest grows no further than its limit', async () => {
    const outcome = await runGuest(() => hog, { limits: { memoryBytes: 64 * 1024 * 1024 } })
    expect(outcome).toMatchObject({ reason: 'memory', exitCode: 1 })
    expect(outcome.errorMessage).toMatch(
      /trapped: unreachable, with 6\d{7} bytes of memory in use of its limit of 67108864/,
    )
  })

  test('memory: a guest that copes with less goes on', async () => {
    const cope =
      '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (call $exit (memory.size))'
    expect(await runGuest(() => cope, { limits: { memoryBytes: 10 * 65_536 + 1 } })).toMatchObject({
      exitCode: 11,
    })
  })

  test('memory: one that begins with more is not begun', async () => {
    const module = assemble('(module (memory (export "memory") 1000) (func (export "_start")))')
    const outcome = await run(module, { limits: { memoryBytes: 999 * 65_536 } })
    expect(outcome).toMatchObject({ reason: 'memory', exitCode: null })
    expect(outcome.errorMessage).toBe(`it needs more memory than its limit of ${999 * 65_536} bytes`)
  })

  test('files: none grows beyond the limit', async () => {
    const outcome = await runGuest(
      (text) => `(local $fd i32) (local $i i32)
      (local.set $fd (call $open (i32.const 4) ${text('big')} (i32.const 1) (i64.const ${WRITE})))
      (loop $l (call $write (local.get $fd) (i32.const 0) (i32.const 65536)) (br $l))`,
      { limits: { outputBytes: 300_000 } },
    )
    // 22 is EFBIG: the guest is told, and may cope.
    expect(outcome).toMatchObject({ exitCode: 22, errorMessage: null })
    expect(hostFile('outputs/counts/big')).toHaveLength(300_000)
  })

  test('cancel: it is ended and nothing is left', async () => {
    const mark = `work${process.pid}x${runs}`
    const staged = await stagedRun(
      guest((text) => `(call $write (i32.const 1) ${text('up')}) (loop $l (br $l))`),
    )
    const prepared = await engine.prepare({ ...staged, executionId: mark }, { signal: stopper.signal })
    const outcome = prepared.go()
    await until('the guest is up', () => readFileSync(join(directory, 'work/stdout'), 'utf8') === 'up')
    expect(processesWith(directory)).toHaveLength(1)
    stopper.abort()
    expect(await outcome).toMatchObject({ reason: 'cancelled', stdout: 'up' })
    expect(processesWith(directory)).toEqual([])
  })
})

describe('what a guest cannot reach', () => {
  const outside = [
    '../secret',
    '../../secret',
    'inputs/../../secret',
    'inputs/../../../secret',
    './/..//secret',
    '/etc/hostname',
    '../../../../../../../../etc/hostname',
    'outputs/counts/../../../stdout',
    '../stdout',
  ]

  test('no path leads out, from any directory', async () => {
    const outcome = await runGuest((text) => {
      const attempts = [...outside, join(directory, 'secret')].flatMap((path) =>
        [3, 4, 5].map(
          (fd) => `(call $attempt (i32.const ${fd}) ${text(path)} ${text(`opened ${path} from ${fd}\n`)})`,
        ),
      )
      return `${attempts.join('\n')} (call $write (i32.const 1) ${text('end')})`
    })
    expect(outcome).toMatchObject({ stdout: 'end', exitCode: 0 })
  })

  test('above the root lies the root, as everywhere', async () => {
    const outcome = await runGuest(
      (text) => `(local $above i32)
      (local.set $above (call $open (i32.const 3) ${text('..')} (i32.const 2) (i64.const ${DIRECTORY})))
      (call $attempt (local.get $above) ${text('stdout')} ${text('opened the log ')})
      (call $attempt (local.get $above) ${text('../stdout')} ${text('opened the log ')})
      (call $attempt (local.get $above) ${text('inputs/text.txt')} ${text('opened ')})`,
    )
    expect(outcome).toMatchObject({ stdout: 'opened text of the input', exitCode: 0 })
  })

  test('an honest path is opened that way', async () => {
    const outcome = await runGuest(
      (text) => `(call $attempt (i32.const 3) ${text('inputs/../inputs/text.txt')} ${text('opened ')})`,
    )
    expect(outcome.stdout).toBe('opened text of the input')
  })

  test('no other file of its process', async () => {
    const outcome = await runGuest(
      (text) => `(local $fd i32) (local.set $fd (i32.const 6))
      (loop $next
        (i32.store (i32.const 0) (i32.const 100000))
        (i32.store (i32.const 4) (i32.const 100))
        (if (i32.eqz (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
          (then (call $write (i32.const 1) ${text('read')})))
        (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $fd) (i32.const 1000))))
      (call $cat (i32.const 0))
      (call $write (i32.const 1) ${text('end')})`,
    )
    expect(outcome).toMatchObject({ stdout: 'end', exitCode: 0 })
  })

  test.each(['../secret', '../../../secret', '/etc/hostname', 'inside'])(
    'a link to %s is not made',
    async (target) => {
      const outcome = await runGuest(
        (text) => `(call $check (call $path_symlink ${text(target)} (i32.const 4) ${text('link')}))`,
      )
      expect(outcome.exitCode).toBe(63)
    },
  )

  test('a link that is made deep inside and then moved up does not lead out', async () => {
    // Inside, `../../..` from a/b/c is the directory itself; moved up it would be three levels above.
    const outcome = await runGuest(
      (text) => `
      (call $check (call $path_mkdir (i32.const 4) ${text('a')}))
      (call $check (call $path_mkdir (i32.const 4) ${text('a/b')}))
      (call $check (call $path_mkdir (i32.const 4) ${text('a/b/c')}))
      (call $check (call $path_symlink ${text('../../..')} (i32.const 4) ${text('a/b/c/up')}))
      (call $check (call $path_rename (i32.const 4) ${text('a/b/c/up')} (i32.const 4) ${text('up')}))
      (call $cat (call $open (i32.const 4) ${text('up/work/../secret')} (i32.const 0) (i64.const ${READ})))`,
    )
    expect(outcome).toMatchObject({ exitCode: 63, stdout: '' })
  })
})

describe('what a guest cannot change', () => {
  const input = 'inputs/text.txt'
  const changes: readonly (readonly [string, (text: Text) => string])[] = [
    [
      'write an input',
      (t) => `(drop (call $open (i32.const 3) ${t(input)} (i32.const 0) (i64.const ${WRITE})))`,
    ],
    [
      'truncate an input',
      (t) => `(drop (call $open (i32.const 3) ${t(input)} (i32.const 8) (i64.const ${READ})))`,
    ],
    [
      'create beside an input',
      (t) => `(drop (call $open (i32.const 3) ${t('inputs/new')} (i32.const 1) (i64.const ${READ})))`,
    ],
    ['remove an input', (t) => `(call $check (call $path_unlink (i32.const 3) ${t(input)}))`],
    ['make a directory', (t) => `(call $check (call $path_mkdir (i32.const 3) ${t('inputs/new')}))`],
    ['remove a directory', (t) => `(call $check (call $path_rmdir (i32.const 3) ${t('outputs/counts')}))`],
    [
      'move an input',
      (t) => `(call $check (call $path_rename (i32.const 3) ${t(input)} (i32.const 4) ${t('x')}))`,
    ],
    [
      'link from an input',
      (t) =>
        `(call $check (call $path_link (i32.const 3) (i32.const 0) ${t(input)} (i32.const 4) ${t('x')}))`,
    ],
    [
      'write through a directory opened below',
      (t) => `(local $dir i32)
        (local.set $dir (call $open (i32.const 3) ${t('inputs')} (i32.const 2) (i64.const ${DIRECTORY})))
        (drop (call $open (local.get $dir) ${t('text.txt')} (i32.const 0) (i64.const ${WRITE})))`,
    ],
    [
      'write through a renumbered directory',
      (t) => `
        (call $check (call $fd_renumber (i32.const 3) (i32.const 5)))
        (drop (call $open (i32.const 5) ${t(input)} (i32.const 0) (i64.const ${WRITE})))`,
    ],
    [
      'write to a file that was opened for reading',
      (t) => `
        (call $write (call $open (i32.const 3) ${t(input)} (i32.const 0) (i64.const ${READ})) ${t('changed')})`,
    ],
  ]

  test.each(changes)('%s', async (_name, body) => {
    const outcome = await runGuest(body)
    // EROFS, or ENOTCAPABLE where the open file itself lacks the right.
    expect([69, 76]).toContain(outcome.exitCode)
    expect(outcome.errorMessage).toBeNull()
    expect(hostFile(input)).toBe('text of the input')
  })
})
