import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import type { GuestRequest } from '../../../src/compute/guest/guest-request.ts'
import type { ExitRecord } from '../../../src/compute/keeper/exit-record.ts'
import { GuestRun } from '../../../src/compute/keeper/guest-run.ts'
import { childrenOf } from '../../../src/compute/keeper/process-table.ts'
import type { Runner } from '../../../src/compute/keeper/runner.ts'
import { Runners } from '../../../src/compute/keeper/runners.ts'
import { assemble } from '../../engines/guest.ts'

const FILE_BYTES = 1e8
const ORDERS = {
  executionId: 'e-guest',
  attempt: 1,
  timeMs: null,
  graceMs: 0,
  memoryBytes: 65_536,
  logBytes: 100,
  outputBytes: FILE_BYTES,
} as const

function pool(): { readonly runners: Runners; readonly serve: (runner: Runner) => Promise<unknown> } {
  const runners = new Runners({}, () => undefined)
  onTestFinished(() => runners.kill())
  const request = requestOf(temporaryDirectory())
  const serve = (runner: Runner): Promise<unknown> =>
    new Promise((resolve) => runner.run(request, { begun: () => undefined, ended: resolve }))
  return { runners, serve }
}

function requestOf(directory: string): GuestRequest {
  const modulePath = join(directory, 'empty.wasm')
  writeFileSync(modulePath, assemble('(module (memory (export "memory") 1) (func (export "_start")))'))
  return {
    modulePath,
    entrypoint: '_start',
    args: [],
    env: {},
    mounts: [],
    imports: {},
    memoryBytes: 65_536,
    stdoutPath: join(directory, 'stdout'),
    stderrPath: join(directory, 'stderr'),
    logBytes: 100,
  }
}

test('a runner serves one namespace, again and again', async () => {
  const { runners, serve } = pool()
  const one = await runners.take('one', FILE_BYTES)
  expect(await serve(one)).toMatchObject({ kind: 'ended', report: { exitCode: 0 } })
  const two = await runners.take('two', FILE_BYTES)
  expect(two).not.toBe(one)
  await serve(two)
  expect(await runners.take('one', FILE_BYTES)).toBe(one)
  expect(await runners.take('two', FILE_BYTES)).toBe(two)
})

test('one that is at work is not given away, nor one with another limit of files', async () => {
  const { runners, serve } = pool()
  const first = await runners.take('one', FILE_BYTES)
  const second = await runners.take('one', FILE_BYTES)
  expect(second).not.toBe(first)
  await Promise.all([serve(first), serve(second)])
  expect([first, second]).not.toContain(await runners.take('one', 5_000))
})

test('one for a single guest ends after it', async () => {
  const { runners, serve } = pool()
  const single = await runners.take(null, FILE_BYTES)
  await serve(single)
  expect(single.gone).toBe(true)
  expect(await runners.take(null, FILE_BYTES)).not.toBe(single)
})

test('one that was given back unused is for any guest', async () => {
  const { runners } = pool()
  for (const sharing of ['one', null]) {
    const unused = await runners.take(sharing, FILE_BYTES)
    runners.giveBack(unused)
    expect(await runners.take('two', FILE_BYTES)).toBe(unused)
    runners.giveBack(unused)
  }
})

test('one that was stopped while it waited is woken for the next guest', async () => {
  const { runners, serve } = pool()
  const first = await runners.take('one', FILE_BYTES)
  await serve(first)
  for (const pid of childrenOf(process.pid)) {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('runner')) process.kill(pid, 'SIGSTOP')
  }
  expect(await runners.take('one', FILE_BYTES)).toBe(first)
  expect(await serve(first)).toMatchObject({ kind: 'ended', report: { exitCode: 0 } })
})

/** Makes the first processes of Node hang before they do anything, and lets the others be. */
function hangFirst(count: number): Readonly<Record<string, string>> {
  const directory = temporaryDirectory()
  const preload = join(directory, 'hang.cjs')
  const script = `
    const { mkdirSync } = require('node:fs')
    for (let i = 0; i < ${count}; i += 1) {
      let first = true
      try { mkdirSync('${directory}/' + i) } catch { first = false }
      if (first) for (;;);
    }`
  writeFileSync(preload, script)
  return { NODE_OPTIONS: `--require ${preload}` }
}

async function run(runners: Runners): Promise<ExitRecord | undefined> {
  const workDir = temporaryDirectory()
  return await new Promise((resolve) => {
    new GuestRun(
      { kind: 'guest', sharing: 'one', request: requestOf(workDir), ...ORDERS, workDir, cwd: workDir },
      runners,
      resolve,
    ).go()
  })
}

test('one that hangs before it begins with its guest is given up, and another takes the guest', async () => {
  const runners = new Runners(hangFirst(2), () => undefined, { lookMs: 50, silenceMs: 1_500 })
  onTestFinished(() => runners.kill())
  expect(await run(runners)).toMatchObject({ reason: 'exited', exitCode: 0 })
})

test('where none begins with it, the guest is said not to have been started', async () => {
  const runners = new Runners(hangFirst(100), () => undefined, { lookMs: 20, silenceMs: 200 })
  onTestFinished(() => runners.kill())
  expect(await run(runners)).toMatchObject({
    reason: 'start-failed',
    errorMessage: 'no process would begin with it: it was ended by the signal SIGKILL',
  })
})

test('one that was killed while it waited is not given away', async () => {
  const { runners, serve } = pool()
  const first = await runners.take('one', FILE_BYTES)
  await serve(first)
  first.kill()
  await expect.poll(() => first.gone).toBe(true)
  expect(await runners.take('one', FILE_BYTES)).not.toBe(first)
})
