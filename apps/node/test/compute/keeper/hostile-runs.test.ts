import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { Lookout } from '../../../src/compute/keeper/census.ts'
import { DiskUse } from '../../../src/compute/keeper/disk-use.ts'
import { Keeper } from '../../../src/compute/keeper/keeper.ts'
import { killLeftover } from '../../../src/compute/keeper/leftover.ts'
import { LogPipes } from '../../../src/compute/keeper/log-pipes.ts'
import { PidNamespaces } from '../../../src/compute/keeper/pid-namespaces.ts'
import {
  bootId,
  childrenOf,
  environmentValue,
  readName,
  readProcess,
} from '../../../src/compute/keeper/process-table.ts'
import { ProgramRun } from '../../../src/compute/keeper/program-run.ts'
import type { ProgramLaunch } from '../../../src/compute/keeper/protocol.ts'
import { jobProcessFile } from '../../../src/compute/keeper/work-files.ts'
import { programLaunch } from './program-launch.ts'

const available = (await PidNamespaces.find({})) !== undefined
const { signal } = new AbortController()

function launchOf(script: string): ProgramLaunch {
  const workDir = join(temporaryDirectory(), 'work', 'e-hostile')
  const cwd = join(workDir, 'root')
  mkdirSync(cwd, { recursive: true })
  return programLaunch(script, {
    ...{ executionId: 'e-hostile', workDir, cwd, isolation: 'pid-namespace', graceMs: 1_000 },
    maxProcesses: 100,
  })
}

function newKeeper(): Keeper {
  const keeper = new Keeper()
  onTestFinished(() => keeper.close())
  return keeper
}

test('a job that stops itself and is woken by a process of its own ends with its own exit code', async () => {
  const script =
    '(until grep -q "^State:.T" /proc/$$/status; do :; done; kill -CONT $$) & kill -STOP $$; exit 7'
  const run = newKeeper().prepare(launchOf(script), signal)
  expect(await run.go()).toMatchObject({ reason: 'exited', exitCode: 7 })
})

test('a job that puts a pipe in the place of its directories holds up neither its own end nor the others', async () => {
  const keeper = newKeeper()
  const script = 'echo said; work=$(dirname "$PWD"); mv "$work" "$work.moved"; mkfifo "$work"'
  for (let count = 0; count < 5; count += 1) {
    const run = keeper.prepare(launchOf(script), signal)
    expect(await run.go()).toMatchObject({ reason: 'exited', exitCode: 0 })
  }
  const next = keeper.prepare(launchOf('echo fine'), signal)
  expect(await next.go()).toMatchObject({ reason: 'exited', exitCode: 0 })
})

test('what a link in the place of the directory of a job leads to is not counted', async () => {
  const [place, elsewhere] = [join(temporaryDirectory(), 'root'), temporaryDirectory()]
  mkdirSync(place)
  writeFileSync(join(elsewhere, 'large'), Buffer.alloc(100_000))
  const use = new DiskUse(place)
  writeFileSync(join(place, 'own'), Buffer.alloc(5_000))
  expect(use.look()).toBe(5_000)
  renameSync(place, `${place}.moved`)
  symlinkSync(elsewhere, place)
  expect(await eventually('it looks again', () => use.look()?.toString())).toBe('0')
})

test('a directory of many files is looked at in parts, and counted whole', async () => {
  const place = temporaryDirectory()
  const use = new DiskUse(place)
  for (let count = 0; count < 5_000; count += 1) writeFileSync(join(place, String(count)), 'x')
  expect(await eventually('it has looked at all', () => use.look())).toBe(5_000)
})

test('a pipe in the place of what a keeper noted holds no start up', async () => {
  const workDir = temporaryDirectory()
  expect(spawnSync('mkfifo', [jobProcessFile(workDir)]).status).toBe(0)
  const process = { pid: 2 ** 22 + 1, startTime: '1', pgid: 2 ** 22 + 1, bootId: bootId() }
  expect(await killLeftover({ process, executionId: 'e-pipe', workDir })).toEqual({
    keeperAlive: false,
    killed: 0,
  })
})

test('the names of pipes lie in the directory of the run, which is removed some day', () => {
  const [tools, workDir] = [temporaryDirectory(), temporaryDirectory()]
  writeFileSync(join(tools, 'mkfifo'), `#!/bin/sh\necho "$@" > ${tools}/asked\nexit 1\n`)
  chmodSync(join(tools, 'mkfifo'), 0o755)
  const path = process.env['PATH'] ?? ''
  process.env['PATH'] = `${tools}:${path}`
  onTestFinished(() => {
    process.env['PATH'] = path
  })
  expect(new LogPipes().take(workDir)).toBeUndefined()
  const [, , first] = readFileSync(join(tools, 'asked'), 'utf8').split(' ')
  expect(first?.startsWith(`${workDir}/`)).toBe(true)
  expect(readdirSync(workDir).filter((name) => !name.startsWith('pipes-'))).toEqual([])
})

test.runIf(available)('a job whose namespace was ended before it was in there has no exit code', async () => {
  const namespaces = await PidNamespaces.find({})
  const take = async (): Promise<unknown> => {
    const namespace = await namespaces?.take(null)
    assert(namespace !== undefined)
    // Between the look whether it is alive and the entering.
    process.kill(namespace.initPid, 'SIGKILL')
    await eventually('it is gone', () => namespace.alive === false)
    return namespace
  }
  const tools = {
    lookout: new Lookout(),
    pipes: new LogPipes(),
    groups: undefined,
    launcher: undefined,
    namespaces: { take, giveBack: () => Promise.resolve(true) } as unknown as PidNamespaces,
  }
  const record = await new Promise((resolve) => new ProgramRun(launchOf('exit 1'), tools, resolve).go())
  expect(record).toMatchObject({
    reason: 'killed',
    exitCode: null,
    errorMessage: 'its namespace of processes was ended by somebody else',
  })
})

test.runIf(available)(
  'what is in a namespace is seen from its first process on, with those that lost their parent',
  async () => {
    const namespaces = await PidNamespaces.find({})
    const namespace = await namespaces?.take(null)
    expect(namespace?.uses()).toEqual([])
    const script = '(setsid sleep 1000 &); exec sleep 1000'
    const start = namespace?.enter({ command: '/bin/sh', args: ['-c', script], env: {} }, '/')
    spawn(start?.command ?? '', start?.args ?? [], { stdio: 'ignore' })
    const uses = await eventually('both are there', () => {
      const seen = namespace?.uses()
      return seen?.length === 2 && seen
    })
    for (const { anonymousBytes } of uses) expect(anonymousBytes).toBeGreaterThan(0)
    expect(await namespace?.end()).toBe(true)
    expect(namespace?.uses()).toEqual([])
  },
)

test.runIf(available)('a namespace that somebody ended while it waited is not given to a job', async () => {
  const namespaces = await PidNamespaces.find({ WAITS: 'spare' })
  const first = await namespaces?.take(null)
  const spare = await eventually('one waits', () =>
    childrenOf(process.pid)
      .filter((pid) => environmentValue(pid, 'WAITS') === 'spare')
      .flatMap((pid) => childrenOf(pid))
      .find((pid) => pid !== first?.initPid && readName(pid) === 'cat'),
  )
  process.kill(spare, 'SIGKILL')
  await eventually('it is gone', () => (readProcess(spare)?.state ?? 'Z') === 'Z')
  const next = await namespaces?.take(null)
  expect(next?.initPid).not.toBe(spare)
  expect(next?.alive).toBe(true)
  await Promise.all([first?.end(), next?.end()])
})
