import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { IS_LONG } from '../../../../../test/seed.ts'
import { Keeper } from '../../../src/compute/keeper/keeper.ts'
import type { EngineOutcome } from '../../../src/compute/keeper/outcome.ts'
import { childrenOf, processUse } from '../../../src/compute/keeper/process-table.ts'
import { logFile } from '../../../src/compute/keeper/work-files.ts'
import { WasmEngine } from '../../../src/engines/wasm/wasm-engine.ts'
import { assemble, guest, WRITE } from '../../engines/guest.ts'
import { WasmBench, type WasmCase } from '../../engines/wasm-bench.ts'

const ROUNDS = IS_LONG ? 1_000 : 3
/** A third of the runs that go through one process. */
const THIRD = IS_LONG ? 3_400 : 70
const TICKS_FOR_MS = 10

/** What a guest may leave behind, or take with it. */
const MESSES: Readonly<Record<string, Buffer>> = {
  'leaves files open': guest(
    (text) => `(local $i i32)
    (loop $l
      (drop (call $open (i32.const 4) ${text('left')} (i32.const 1) (i64.const ${WRITE})))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 20))))`,
  ),
  'opens all that it may': guest(
    (text) => `(local $i i32)
    (loop $l
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.eqz (call $path_open (i32.const 4) (i32.const 1) ${text('left')} (i32.const 1)
        (i64.const ${WRITE}) (i64.const ${WRITE}) (i32.const 0) (i32.const 16)))))
    (call $write (i32.const 1) ${text('opened all')})`,
  ),
  'closes all that it was given': guest(
    () => `(local $i i32)
    (loop $l
      (drop (call $fd_close (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 30))))`,
  ),
  'moves its streams about': guest(
    (text) => `(local $fd i32)
    (local.set $fd (call $open (i32.const 4) ${text('moved')} (i32.const 1) (i64.const ${WRITE})))
    (drop (call $fd_renumber (local.get $fd) (i32.const 2)))
    (drop (call $fd_renumber (i32.const 1) (i32.const 0)))
    (call $write (i32.const 0) ${text('moved')})`,
  ),
  traps: guest(
    (text) => `
    (drop (call $open (i32.const 4) ${text('trapped')} (i32.const 1) (i64.const ${WRITE}))) unreachable`,
  ),
  'runs out of stack': assemble(
    '(module (memory (export "memory") 1) (func $f (export "_start") (call $f)))',
  ),
  'ends in the middle': guest(
    (text) => `
    (drop (call $open (i32.const 4) ${text('ended')} (i32.const 1) (i64.const ${WRITE})))
    (call $exit (i32.const 9))`,
  ),
  'fills its memory': guest(
    () => `
    (drop (memory.grow (i32.const 100)))
    (memory.fill (i32.const 0) (i32.const 165) (i32.const 6000000))`,
  ),
}

/** Says what it finds: which of its descriptors are open, whether its memory is empty, and its environment. */
const probe = guest(
  (text) => `(local $fd i32) (local $i i32)
    (loop $l
      (i32.store8 (i32.const 90000) (i32.add (i32.const 65) (local.get $fd)))
      (if (i32.eqz (call $fd_renumber (local.get $fd) (local.get $fd)))
        (then (call $write (i32.const 1) (i32.const 90000) (i32.const 1))))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $fd) (i32.const 50))))
    (local.set $i (i32.const 100000))
    (loop $m
      (if (i32.load8_u (local.get $i)) (then (call $write (i32.const 1) ${text(' memory')}) (call $exit (i32.const 1))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $m (i32.lt_u (local.get $i) (i32.const 250000))))
    (call $check (call $env_sizes (i32.const 100) (i32.const 104)))
    (call $check (call $env_get (i32.const 200000) (i32.const 210000)))
    (call $write (i32.const 1) (i32.const 210000) (i32.load (i32.const 104)))`,
)

let bench: WasmBench
let keeper: Keeper

beforeEach(() => {
  bench = new WasmBench()
  keeper = new Keeper()
})
afterEach(() => keeper.close())

async function run(
  engine: WasmEngine,
  module: Buffer,
  options: WasmCase = {},
): Promise<EngineOutcome & { pid: number }> {
  const staged = await bench.stagedRun(module, options)
  const prepared = await engine.prepare(staged, { signal: bench.stopper.signal })
  const outcome = await prepared.go()
  rmSync(join(bench.directory, 'work'), { recursive: true })
  const stdout = outcome.stdout.replaceAll(staged.executionId, 'the execution')
  return { ...outcome, stdout, pid: prepared.process?.pid ?? 0 }
}

/** The processes of a keeper in which guests run, oldest first. */
function runnersOf(keeperPid: number): number[] {
  return childrenOf(keeperPid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('runner')
    } catch {
      // It has just ended.
      return false
    }
  })
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

describe('guests that follow each other in one process', () => {
  test('find nothing of those before them', async () => {
    const engine = new WasmEngine({ keeper })
    const env = { OWN: 'mine' }
    const first = await run(engine, probe, { env })
    expect(first).toMatchObject({ exitCode: 0, errorMessage: null })
    // 0 to 2 are its streams, 3 to 5 its directories.
    expect(first.stdout).toMatch(/^ABCDEF/)
    const [runner = 0] = runnersOf(first.pid)
    const opened = openFiles(runner)
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [what, mess] of Object.entries(MESSES)) {
        await run(engine, mess, { env: { LEFT: 'behind' } })
        const { pid, stdout, exitCode } = await run(engine, probe, { env })
        expect({ what, stdout, exitCode }).toEqual({ what, stdout: first.stdout, exitCode: 0 })
        expect(runnersOf(pid), what).toContain(runner)
        expect(openFiles(runner), what).toBe(opened)
      }
    }
  })

  test('one that opens all that it may is told so, keeps its own end and says what it has to say', async () => {
    const outcome = await run(new WasmEngine({ keeper }), MESSES['opens all that it may'] ?? Buffer.of())
    expect(outcome).toMatchObject({ exitCode: 0, stdout: 'opened all', stdoutTruncated: false })
  })

  test('each has a process of its own where that is wanted', async () => {
    const engine = new WasmEngine({ keeper, freshProcess: true })
    const { pid } = await run(engine, probe)
    const [before = 0] = runnersOf(pid)
    await run(engine, probe)
    await eventually('the one before is gone', () => !runnersOf(pid).includes(before))
  })
})

interface Use {
  readonly files: number
  readonly bytes: number
  readonly cpuMs: number
}

/** What a process has open and keeps in memory, and the processor time that it has had. */
function useOf(pid: number): Use {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICKS_FOR_MS
  const bytes = processUse(`/proc/${pid}`)?.anonymousBytes ?? 0
  return { files: openFiles(pid), bytes, cpuMs }
}

describe('a process in which guests run', () => {
  test(
    'is after many guests what it was after fewer, and so is its keeper',
    async () => {
      const engine = new WasmEngine({ keeper })
      const module = guest((text) => `(call $write (i32.const 1) ${text('said')})`)
      const { pid } = await run(engine, module)
      const [runner = 0] = runnersOf(pid)
      const seen = [runner, pid].map((process) => ({ process, uses: [useOf(process)] }))
      for (let third = 0; third < 3; third += 1) {
        for (let count = 0; count < THIRD; count += 1) {
          expect(await run(engine, module)).toMatchObject({ exitCode: 0, stdout: 'said' })
        }
        for (const { process, uses } of seen) uses.push(useOf(process))
      }
      expect(runnersOf(pid)).toContain(runner)
      for (const { uses } of seen) {
        const [begun, first, second, third] = uses as [Use, Use, Use, Use]
        expect([second.files, third.files]).toEqual([first.files, first.files])
        // In the first third the collector takes what it is used to.
        expect(third.bytes).toBeLessThan(Math.max(first.bytes, second.bytes) * 1.25)
        // Of few runs the ticks of the system say nothing.
        if (IS_LONG) expect(third.cpuMs - second.cpuMs).toBeLessThan((first.cpuMs - begun.cpuMs) * 1.25)
      }
    },
    IS_LONG ? 1_200_000 : 60_000,
  )

  test('is given up when a guest has made it large', async () => {
    const engine = new WasmEngine({ keeper })
    const { pid } = await run(engine, probe)
    const [before = 0] = runnersOf(pid)
    await run(
      engine,
      guest(
        () =>
          '(drop (memory.grow (i32.const 4000))) (memory.fill (i32.const 0) (i32.const 1) (i32.const 250000000))',
      ),
    )
    await eventually('it is gone', () => !runnersOf(pid).includes(before))
    expect(await run(engine, probe)).toMatchObject({ exitCode: 0 })
  })

  test('is replaced when it is killed, and says so of its guest', async () => {
    const engine = new WasmEngine({ keeper })
    const { pid } = await run(engine, probe)
    const [before = 0] = runnersOf(pid)
    // One that is killed before the guest has begun gives way to another.
    const staged = await bench.stagedRun(
      guest((text) => `(call $write (i32.const 1) ${text('at work')}) (loop $l (br $l))`),
    )
    const prepared = await engine.prepare(staged, { signal: bench.stopper.signal })
    const outcome = prepared.go()
    const log = logFile(staged.work.workDir, 'stdout')
    await eventually('it is at work', () => existsSync(log) && readFileSync(log, 'utf8') === 'at work')
    process.kill(before, 'SIGKILL')
    expect(await outcome).toMatchObject({
      reason: 'killed',
      errorMessage: 'it was ended by the signal SIGKILL',
    })
    rmSync(join(bench.directory, 'work'), { recursive: true })
    expect(await run(engine, probe)).toMatchObject({ exitCode: 0 })
  })
})
