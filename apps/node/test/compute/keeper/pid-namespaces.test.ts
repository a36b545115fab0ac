import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import type { PidNamespace } from '../../../src/compute/keeper/pid-namespace.ts'
import { PidNamespaces } from '../../../src/compute/keeper/pid-namespaces.ts'
import { environmentValue, listProcesses } from '../../../src/compute/keeper/process-table.ts'

const available = (await PidNamespaces.find({})) !== undefined

/** Runs a program in a namespace to its end. */
async function runIn(namespace: PidNamespace, script: string): Promise<void> {
  const { command, args } = namespace.enter({ command: '/bin/sh', args: ['-c', script], env: {} }, '/')
  await once(spawn(command, args, { stdio: 'ignore' }), 'exit')
}

const MAKER = fileURLToPath(new URL('./namespace-maker.mjs', import.meta.url))

test.runIf(available)('whenever whoever makes namespaces is killed, none of them is left', async () => {
  const marked = (mark: string): number[] =>
    listProcesses()
      .map(({ pid }) => pid)
      .filter((pid) => environmentValue(pid, 'MADE_FOR') === mark)
  for (let round = 0; round < 12; round += 1) {
    const mark = `${process.pid}-${round}`
    const maker = spawn(process.execPath, [MAKER, mark], { stdio: ['ignore', 'pipe', 'ignore'] })
    const gone = once(maker, 'exit')
    await once(maker.stdout, 'data')
    // All of the time in which they come to be.
    await delay(round * 4)
    maker.kill('SIGKILL')
    await gone
    await eventually('nothing of it is left', () => marked(mark).length === 0)
  }
})

// Skipped where this machine or user may have no PID namespaces.
describe.runIf(available)('the namespace of a job that has ended', () => {
  test('is for the next job of its kind, and for no other', async () => {
    const namespaces = await PidNamespaces.find({})
    assert(namespaces !== undefined)
    const first = await namespaces.take('a')
    await runIn(first, 'exit 1')
    expect(await namespaces.giveBack(first)).toBe(true)
    const others = [await namespaces.take('b'), await namespaces.take(null)]
    for (const other of others) expect(other).not.toBe(first)
    expect(await namespaces.take('a')).toBe(first)
    expect(await namespaces.take('a')).not.toBe(first)
    await Promise.all([first, ...others].map((namespace) => namespace.end()))
  })

  test('ends where the job wanted one of its own', async () => {
    const namespaces = await PidNamespaces.find({})
    assert(namespaces !== undefined)
    const namespace = await namespaces.take(null)
    expect(await namespaces.giveBack(namespace)).toBe(true)
    expect(namespace.gone).toBe(true)
  })

  test.each([
    ['a process is left', '(setsid sleep 1000 &)'],
    ['a process is left that is stopped', "(setsid sh -c 'kill -STOP $$; sleep 1000' &)"],
    [
      'the first process was moved into another control group',
      'd=$(mktemp -d /sys/fs/cgroup/unified/saltcod-test-XXXXXX 2>/dev/null || mktemp -d /sys/fs/cgroup/saltcod-test-XXXXXX) && echo 1 > $d/cgroup.procs || (setsid sleep 1000 &)',
    ],
    ['something was mounted', 'mount -t tmpfs tmpfs /mnt || (setsid sleep 1000 &)'],
  ])('ends where %s', async (_, script) => {
    const namespaces = await PidNamespaces.find({})
    assert(namespaces !== undefined)
    const namespace = await namespaces.take('a')
    await runIn(namespace, script)
    expect(await namespaces.giveBack(namespace)).toBe(true)
    expect(namespace.gone).toBe(true)
    expect(await namespaces.take('a')).not.toBe(namespace)
    for (const place of ['/sys/fs/cgroup/unified', '/sys/fs/cgroup']) {
      const names = existsSync(place) ? readdirSync(place) : []
      for (const name of names) if (name.startsWith('saltcod-test-')) rmdirSync(join(place, name))
    }
  })

  test('is not given on where it is being ended, or something came into it while it waited', async () => {
    const namespaces = await PidNamespaces.find({})
    assert(namespaces !== undefined)
    const killed = await namespaces.take('a')
    killed.kill()
    expect(await namespaces.giveBack(killed)).toBe(true)
    expect(killed.gone).toBe(true)
    const waiting = await namespaces.take('a')
    expect(await namespaces.giveBack(waiting)).toBe(true)
    await runIn(waiting, '(setsid sleep 1000 &)')
    expect(await namespaces.take('a')).not.toBe(waiting)
  })
})

test.runIf(available)('a job sees by a relative path what it mounts', async () => {
  const namespaces = await PidNamespaces.find({})
  assert(namespaces !== undefined)
  const namespace = await namespaces.take(null)
  const directory = temporaryDirectory()
  const script =
    'mkdir m && { mount -t tmpfs tmpfs m || exit 0; } && touch m/inside && test -e "$PWD/m/inside"'
  const { command, args } = namespace.enter({ command: '/bin/sh', args: ['-c', script], env: {} }, directory)
  const [code] = (await once(spawn(command, args, { stdio: 'ignore' }), 'exit')) as [number]
  expect(code).toBe(0)
  expect(existsSync(join(directory, 'm/inside'))).toBe(false)
  await namespace.end()
})
