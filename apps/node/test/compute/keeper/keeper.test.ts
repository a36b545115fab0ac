import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { expect, onTestFinished, test } from 'vitest'
import { eventually, until } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { readExitRecord } from '../../../src/compute/keeper/exit-record.ts'
import { Keeper } from '../../../src/compute/keeper/keeper.ts'
import { readOutcome } from '../../../src/compute/keeper/outcome.ts'
import { childrenOf, readProcess } from '../../../src/compute/keeper/process-table.ts'
import type { ProgramLaunch } from '../../../src/compute/keeper/protocol.ts'
import { EngineRegistry } from '../../../src/engines/engine-registry.ts'
import { ExecEngine } from '../../../src/engines/exec/exec-engine.ts'
import { shellJob, startComputeSide } from '../fixture.ts'
import { TestRequester } from '../test-requester.ts'
import { processesWith } from '../work-bench.ts'
import { programLaunch } from './program-launch.ts'

/** Three seconds, in which a sound keeper answers on a busy machine too. */
const SHORT = { lookMs: 100, silenceMs: 3_000 }
let runs = 0

function launchOf(workDir: string, script: string): ProgramLaunch {
  runs += 1
  const executionId = `e-answer-${process.pid}-${runs}`
  return programLaunch(script, { executionId, workDir, isolation: 'none', graceMs: 1_000, maxProcesses: 100 })
}

const signal = new AbortController().signal

/** The newest keeper of this process. */
async function newestKeeper(): Promise<number> {
  return await eventually('a keeper is there', () =>
    childrenOf(process.pid)
      .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keeper'))
      .at(-1),
  )
}

/** Stops a process again and again, until the test is over. */
function stopForGood(pid: number): void {
  const stopping = setInterval(() => {
    try {
      process.kill(pid, 'SIGSTOP')
    } catch {
      clearInterval(stopping)
    }
  }, 5)
  onTestFinished(() => clearInterval(stopping))
}

test('a keeper that is stopped before it begins is woken, and the run goes on', async () => {
  const run = new Keeper({ patience: SHORT }).prepare(launchOf(temporaryDirectory(), 'echo fine'), signal)
  process.kill(await newestKeeper(), 'SIGSTOP')
  expect(await run.go()).toMatchObject({ reason: 'exited', exitCode: 0 })
})

test('one that is stopped as fast as it is woken is given up, and another takes its place', async () => {
  const keeper = new Keeper({ patience: SHORT })
  const mark = `${1_000_000 + process.pid}4`
  const run = keeper.prepare(launchOf(temporaryDirectory(), `exec sleep ${mark}`), signal)
  const over = run.go()
  await eventually('the job is up', () => processesWith(mark).length > 0)
  stopForGood(run.process.pid)
  expect(await over).toMatchObject({ reason: 'keeper-lost' })
  expect(processesWith(mark)).toEqual([])
  // On a busy machine the next one may be given up for its silence too.
  await eventually('another does its work', async () => {
    const next = keeper.prepare(launchOf(temporaryDirectory(), 'echo fine'), signal)
    expect(next.process.pid).not.toBe(run.process.pid)
    return (await next.go()).reason === 'exited'
  })
})

test('where it dies before it has begun, the run is ended without having run', async () => {
  const directory = temporaryDirectory()
  const run = new Keeper({ patience: SHORT }).prepare(launchOf(directory, `touch ${directory}/begun`), signal)
  const keeper = await newestKeeper()
  process.kill(keeper, 'SIGKILL')
  await eventually('it is gone', () => readProcess(keeper) === undefined)
  expect(await run.go()).toMatchObject({
    reason: 'keeper-lost',
    errorMessage: 'its keeper was killed, so the job was ended',
    startedAtMs: null,
  })
  expect(existsSync(join(directory, 'begun'))).toBe(false)
})

test('a run that is cancelled before it begins never begins, nor one that is while it is looked what it may have', async () => {
  const directory = temporaryDirectory()
  const keeper = new Keeper({ patience: SHORT })
  for (const early of [true, false]) {
    const stopper = new AbortController()
    const run = keeper.prepare(
      { ...launchOf(directory, `touch ${directory}/begun`), isolation: 'pid-namespace' },
      stopper.signal,
    )
    if (early) stopper.abort()
    const over = run.go()
    stopper.abort()
    expect(await over).toMatchObject({ reason: 'cancelled', exitCode: null })
  }
  expect(existsSync(join(directory, 'begun'))).toBe(false)
})

test('one that hangs is killed with its jobs, and their runs are given back', async () => {
  const tools = temporaryDirectory()
  writeFileSync(join(tools, 'mkfifo'), '#!/bin/sh\nexec sleep 1000\n')
  chmodSync(join(tools, 'mkfifo'), 0o755)
  const path = process.env['PATH'] ?? ''
  process.env['PATH'] = `${tools}:${path}`
  onTestFinished(() => {
    process.env['PATH'] = path
  })
  const workDir = temporaryDirectory()
  // Shorter than it waits for that program.
  const run = new Keeper({ patience: SHORT }).prepare(launchOf(workDir, 'echo never'), signal)
  expect(await run.go()).toMatchObject({
    reason: 'keeper-lost',
    exitCode: null,
    errorMessage: 'its keeper did not answer for 3 s, so the job was ended',
  })
  expect(readExitRecord(workDir)).toBeUndefined()
})

test('a run that had come to its own end keeps it where its keeper is lost before it could say so', async () => {
  const launch = launchOf(temporaryDirectory(), 'exit 5')
  const { executionId, attempt, workDir } = launch
  const record = { executionId, attempt, reason: 'exited', exitCode: 5, signal: null, errorMessage: null }
  const told = JSON.stringify({
    ...record,
    stdoutCapped: false,
    stderrCapped: false,
    startedAtMs: 1,
    endedAtMs: 2,
  })
  // What the keeper does at the end of a run, and its death right after.
  const script = `echo '${told}' > ${workDir}/exit.json; kill -KILL $PPID; sleep 60`
  const run = new Keeper({ patience: SHORT }).prepare({ ...launch, args: ['-c', script] }, signal)
  expect(await run.go()).toEqual(JSON.parse(told))
})

test('a run that the machine refuses leaves the others of its keeper alone', async () => {
  const keeper = new Keeper({ patience: SHORT })
  const mark = `${1_000_000 + process.pid}6`
  const other = keeper.prepare(launchOf(temporaryDirectory(), `sleep 0.${mark}; echo fine`), signal)
  const over = other.go()
  const gone = join(temporaryDirectory(), 'gone')
  const run = keeper.prepare({ ...launchOf(gone, 'echo never'), cwd: join(gone, 'root') }, signal)
  expect(run.process).toEqual(other.process)
  expect(await run.go()).toMatchObject({ reason: 'start-failed', exitCode: null })
  expect(await over).toMatchObject({ reason: 'exited', exitCode: 0 })
})

test('the requester hears of an interruption where a keeper was killed', async () => {
  const store = await openMemoryExecutionStore()
  const link = new TestRequester()
  const engines = new EngineRegistry([new ExecEngine({ allowed: true, isolation: 'none', graceMs: 200 })])
  await startComputeSide({ store, link, dataDir: temporaryDirectory(), settings: { engines } })
  link.ask('e-1', shellJob('kill -KILL $PPID; sleep 60'), { approved: true })
  const known = await until(
    () => link.known('e-1'),
    ({ state }) => state === 'Failed',
  )
  expect(known.events.at(-1)).toMatchObject({
    message: 'its keeper was killed, so the job was ended',
    details: { reason: 'interrupted' },
  })
})

test('a job that puts pipes in the place of the files of its run holds nobody up', async () => {
  const workDir = temporaryDirectory()
  const script = 'rm -f stdout exit.json.tmp; mkfifo stdout exit.json.tmp exit.json; echo done'
  const run = new Keeper({ patience: SHORT }).prepare(launchOf(workDir, script), signal)
  expect(await run.go()).toMatchObject({ reason: 'exited', exitCode: 0 })
  expect(readExitRecord(workDir)).toMatchObject({ reason: 'exited' })
  expect(readOutcome(workDir)).toMatchObject({ stdout: 'done\n' })
})
