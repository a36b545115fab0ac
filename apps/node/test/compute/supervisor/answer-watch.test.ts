import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { expect, onTestFinished, test } from 'vitest'
import { ExecEngine } from '../../../src/compute/engine/exec.ts'
import { EngineRegistry } from '../../../src/compute/engine/registry.ts'
import { readExitRecord } from '../../../src/compute/supervisor/exit-record.ts'
import type { Launch } from '../../../src/compute/supervisor/protocol.ts'
import { prepareSupervised } from '../../../src/compute/supervisor/supervisor.ts'
import { scratch, shellJob, startRoom, until as untilHolds } from '../fixture.ts'
import { TestRequester } from '../test-requester.ts'
import { processesWith, until } from '../work-bench.ts'

/** Three seconds, in which a sound supervisor answers on a busy machine too. */
const SHORT = { askMs: 100, unanswered: 30 }
let runs = 0

function launchOf(workDir: string, script: string): Launch {
  runs += 1
  return {
    executionId: `e-answer-${process.pid}-${runs}`,
    attempt: 1,
    workDir,
    command: '/bin/sh',
    args: ['-c', script],
    env: { PATH: '/usr/bin:/bin' },
    cwd: workDir,
    timeMs: null,
    graceMs: 1_000,
    memoryBytes: null,
    logBytes: 1_000_000,
    outputBytes: 1_000_000,
    maxProcesses: 100,
    namedLogs: true,
    reports: false,
  }
}

const prepare = (launch: Launch, patience = SHORT) =>
  prepareSupervised(launch, new AbortController().signal, patience)

/** Stops a supervisor as soon as it is there, and again and again where that is asked for. */
async function stopEarly(executionId: string, again: boolean): Promise<void> {
  const pid = await until('the supervisor is there', () => processesWith(executionId)[0])
  process.kill(pid, 'SIGSTOP')
  if (!again) return
  const stopping = setInterval(() => {
    try {
      process.kill(pid, 'SIGSTOP')
    } catch {
      clearInterval(stopping)
    }
  }, 5)
  onTestFinished(() => clearInterval(stopping))
}

test('a supervisor that is stopped before it is ready is woken, and the run goes on', async () => {
  const launch = launchOf(scratch(), 'echo fine')
  const preparing = prepare(launch)
  await stopEarly(launch.executionId, false)
  const record = await (await preparing).go()
  expect(record).toMatchObject({ reason: 'exited', exitCode: 0 })
})

test('one that is stopped as fast as it is woken is given up', async () => {
  const launch = launchOf(scratch(), 'exec sleep 1000')
  const preparing = prepare(launch)
  await stopEarly(launch.executionId, true)
  // On a busy machine it may have been ready before it was stopped.
  const run = await preparing.catch((error: Error) => error)
  if (run instanceof Error) expect(run.message).toMatch(/ended before it was ready|did not answer/)
  else expect(['killed', 'unanswered']).toContain((await run.go()).reason)
  expect(processesWith(launch.executionId)).toEqual([])
})

test('one that never gets ready is killed, and the run is said not to have begun', async () => {
  const workDir = scratch()
  // Nobody reads it, so that opening it for writing does not return.
  execFileSync('mkfifo', [join(workDir, 'stdout')])
  const launch = launchOf(workDir, 'echo never')
  await expect(prepare(launch, { askMs: 10, unanswered: 30 })).rejects.toMatchObject({
    name: 'HelperLost',
    message: 'its supervisor did not answer for 0.3 s, so the job was not begun',
  })
  await until('it is dead', () => processesWith(launch.executionId).length === 0)
})

test('one that hangs while its job runs is killed with the job, and the run is given back as unanswered', async () => {
  const workDir = scratch()
  const mark = `${1_000_000 + process.pid}5`
  const launch = launchOf(workDir, `exec sleep ${mark}`)
  const run = await prepare(launch)
  execFileSync('mkfifo', [join(workDir, 'process.json.tmp')])
  expect(await run.go()).toMatchObject({
    reason: 'unanswered',
    exitCode: null,
    errorMessage: 'its supervisor did not answer for 3 s, so the job was ended',
  })
  expect(processesWith(mark)).toEqual([])
  expect(readExitRecord(workDir)).toBeUndefined()
})

test('one that is given up before its job began is gone, whether it answers or not', async () => {
  const launch = launchOf(scratch(), 'echo never')
  const run = await prepare(launch)
  await stopEarly(launch.executionId, true)
  await run.abandon()
  expect(processesWith(launch.executionId)).toEqual([])
})

test('the requester hears of an interruption where a supervisor hung', async () => {
  const store = await openMemoryExecutionStore()
  const link = new TestRequester()
  const engines = new EngineRegistry([new ExecEngine({ allowed: true, graceMs: 200, patience: SHORT })])
  await startRoom({ store, link, dataDir: scratch(), settings: { engines } })
  link.ask('e-1', shellJob('mkfifo ../exit.json.tmp; echo done'), { approved: true })
  const known = await untilHolds(
    () => link.known('e-1'),
    ({ state }) => state === 'Failed',
  )
  expect(known.events.at(-1)).toMatchObject({
    message: 'its supervisor did not answer for 3 s, so the job was ended',
    details: { reason: 'interrupted' },
  })
})
