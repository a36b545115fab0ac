import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { childrenOf } from '../../../src/compute/keeper/process-table.ts'
import type { Runner } from '../../../src/compute/keeper/runner.ts'
import { Runners } from '../../../src/compute/keeper/runners.ts'
import { assemble } from '../engine/guest.ts'
import { scratch } from '../fixture.ts'

const FILE_BYTES = 1e8

function pool(): { readonly runners: Runners; readonly serve: (runner: Runner) => Promise<unknown> } {
  const runners = new Runners({}, () => undefined)
  onTestFinished(() => runners.kill())
  const directory = scratch()
  const modulePath = join(directory, 'empty.wasm')
  writeFileSync(modulePath, assemble('(module (memory (export "memory") 1) (func (export "_start")))'))
  const request = {
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
  const serve = (runner: Runner): Promise<unknown> =>
    new Promise((resolve) => runner.run(request, { begun: () => undefined, ended: resolve }))
  return { runners, serve }
}

test('a runner serves one namespace, again and again', async () => {
  const { runners, serve } = pool()
  const one = runners.take('one', FILE_BYTES)
  expect(await serve(one)).toMatchObject({ kind: 'ended', report: { exitCode: 0 } })
  const two = runners.take('two', FILE_BYTES)
  expect(two).not.toBe(one)
  await serve(two)
  expect(runners.take('one', FILE_BYTES)).toBe(one)
  expect(runners.take('two', FILE_BYTES)).toBe(two)
})

test('one that is at work is not given away, nor one with another limit of files', async () => {
  const { runners, serve } = pool()
  const first = runners.take('one', FILE_BYTES)
  const second = runners.take('one', FILE_BYTES)
  expect(second).not.toBe(first)
  await Promise.all([serve(first), serve(second)])
  expect([first, second]).not.toContain(runners.take('one', 5_000))
})

test('one for a single guest ends after it', async () => {
  const { runners, serve } = pool()
  const single = runners.take(null, FILE_BYTES)
  await serve(single)
  expect(single.gone).toBe(true)
  expect(runners.take(null, FILE_BYTES)).not.toBe(single)
})

test('one that was stopped while it waited is woken for the next guest', async () => {
  const { runners, serve } = pool()
  const first = runners.take('one', FILE_BYTES)
  await serve(first)
  for (const pid of childrenOf(process.pid)) {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('runner')) process.kill(pid, 'SIGSTOP')
  }
  expect(runners.take('one', FILE_BYTES)).toBe(first)
  expect(await serve(first)).toMatchObject({ kind: 'ended', report: { exitCode: 0 } })
})

test('one that was killed while it waited is not given away', async () => {
  const { runners, serve } = pool()
  const first = runners.take('one', FILE_BYTES)
  await serve(first)
  first.kill()
  await expect.poll(() => first.gone).toBe(true)
  expect(runners.take('one', FILE_BYTES)).not.toBe(first)
})
