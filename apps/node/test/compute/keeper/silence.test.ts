import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { AnswerWatch } from '../../../src/compute/keeper/answer-watch.ts'
import { readProcess } from '../../../src/compute/keeper/process-table.ts'
import { Silence } from '../../../src/compute/keeper/silence.ts'

const SHORT = { lookMs: 20, silenceMs: 300 }
/** Puts processes into the state in which they wait for a disk, where this user may. */
const FREEZER = '/sys/fs/cgroup/freezer'

function mute(): ReturnType<typeof spawn> {
  const child = spawn('sleep', ['1000'])
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function freezerGroup(): string | undefined {
  const group = `${FREEZER}/saltcod-test-${process.pid}`
  try {
    if (!existsSync(FREEZER)) return undefined
    mkdirSync(group)
  } catch {
    return undefined
  }
  return group
}

const group = freezerGroup()
if (group !== undefined) rmdirSync(group)

test('a helper that does not answer is killed after its time', async () => {
  const child = mute()
  let asked = 0
  const watch = new AnswerWatch(child, () => (asked += 1), SHORT)
  await watch.ended
  expect(watch.lost).toBe(true)
  expect(child.signalCode).toBe('SIGKILL')
  expect(asked).toBeGreaterThan(0)
})

test('time in which whoever looks did not run itself does not count, nor what lies before an answer', async () => {
  const silence = new Silence(mute().pid ?? 0, SHORT)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
  expect(silence.look()).toBe(0)
  await eventually('it was punctual for a while', () => silence.look() > 0)
  silence.broken()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
  expect(silence.look()).toBe(0)
})

test.runIf(group !== undefined)('one that waits for a disk is waited for, and not killed', async () => {
  const place = group ?? ''
  const child = mute()
  mkdirSync(place)
  writeFileSync(`${place}/cgroup.procs`, String(child.pid))
  writeFileSync(`${place}/freezer.state`, 'FROZEN')
  onTestFinished(async () => {
    writeFileSync(`${place}/freezer.state`, 'THAWED')
    child.kill('SIGKILL')
    // A group can be removed some time after its last process is gone.
    await vi.waitFor(() => rmdirSync(place), 10_000)
  })
  await eventually('it waits', () => readProcess(child.pid ?? 0)?.state === 'D')
  let asked = 0
  const watch = new AnswerWatch(child, () => (asked += 1), SHORT)
  await eventually('it was asked for much longer than its time', () => asked > 40)
  expect(watch.lost).toBe(false)
  writeFileSync(`${place}/freezer.state`, 'THAWED')
  await watch.ended
  expect(watch.lost).toBe(true)
})
