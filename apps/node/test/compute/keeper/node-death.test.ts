import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { readExitRecord } from '../../../src/compute/keeper/exit-record.ts'
import { isAlive, killLeftover } from '../../../src/compute/keeper/leftover.ts'
import {
  dataDirOf,
  KEEPER_VARIABLE,
  keeperMarkerOf,
  RUNNER_VARIABLE,
  runnerMarkerOf,
} from '../../../src/compute/keeper/marker.ts'
import {
  bootId,
  environmentValue,
  listProcesses,
  readName,
  readProcess,
} from '../../../src/compute/keeper/process-table.ts'
import type { Isolation } from '../../../src/compute/keeper/protocol.ts'
import type { RunningProcess } from '../../../src/compute/keeper/running-process.ts'
import { logFile } from '../../../src/compute/keeper/work-files.ts'
import { processesWith } from '../work-bench.ts'

const program = fileURLToPath(new URL('./node-that-dies.mjs', import.meta.url))

interface FakeNode {
  readonly child: ChildProcess
  readonly process: RunningProcess
  readonly executionId: string
  readonly workDir: string
}

let directory: string
let count = 0
const started: FakeNode[] = []

beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(async () => {
  for (const node of started.splice(0)) {
    node.child.kill('SIGKILL')
    await killLeftover(node)
  }
})

async function startNode(
  script: string,
  copyOf?: FakeNode,
  isolation: Isolation = 'none',
): Promise<FakeNode> {
  count += 1
  const executionId = copyOf?.executionId ?? `e-death-${process.pid}-${count}`
  const workDir = join(directory, copyOf === undefined ? executionId : 'copy')
  const child = spawn(process.execPath, [program, workDir, executionId, script], {
    env: { ...process.env, ISOLATION: isolation },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const node = { child, process: JSON.parse(line.toString()) as RunningProcess, executionId, workDir }
  started.push(node)
  return node
}

function go(node: FakeNode): void {
  node.child.stdin?.write('go\n')
}

async function untilOutput(node: FakeNode, text: string): Promise<void> {
  const path = logFile(node.workDir, 'stdout')
  await eventually(
    `the job printed ${text}`,
    () => existsSync(path) && readFileSync(path, 'utf8').includes(text),
  )
}

async function kill(node: FakeNode): Promise<void> {
  const gone = once(node.child, 'exit')
  node.child.kill('SIGKILL')
  await gone
}

/** What a keeper holds ready for other jobs; it dies with it, a moment later. */
function heldReady({ process: keeper, workDir }: FakeNode): number[] {
  const marker = runnerMarkerOf(keeper, keeperMarkerOf(dataDirOf(workDir)))
  return listProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => environmentValue(pid, RUNNER_VARIABLE) === marker)
}

// A number that appears in the command line of every process of the job and of nothing else.
const unique = (): string => String(1_000_000_000 + process.pid * 1_000 + count + 1)

describe('when the node is killed', () => {
  const jobs: [string, (n: string) => string][] = [
    ['a plain job', (n: string) => `echo up; sleep ${n}`],
    ['a job that ignores SIGTERM', (n: string) => `trap "" TERM HUP; echo up; sleep ${n}; sleep ${n}`],
    ['a pipeline', (n: string) => `echo up; sleep ${n} | sleep ${n} | sleep ${n}`],
    ['a grandchild in its own session', (n: string) => `setsid sleep ${n} & sleep 0.3; echo up; sleep ${n}`],
    [
      'a daemon whose parent is gone',
      (n: string) => `sh -c 'setsid sh -c "sleep ${n} & sleep ${n}" &' ; sleep 0.3; echo up; sleep ${n}`,
    ],
    [
      'a daemon with a clean environment',
      (n: string) => `env -i setsid sh -c "cd /; sleep ${n}" & sleep 0.5; echo up; sleep ${n}`,
    ],
    [
      'a chain of forks',
      (n: string) =>
        `f() { sleep ${n} & if [ $1 -gt 0 ]; then f $(($1-1)) & fi; wait; }; f 30 & sleep 0.5; echo up; wait`,
    ],
    [
      'a job that goes on forking',
      (n: string) => `echo up; while :; do setsid sleep ${n} & sleep 0.02; done`,
    ],
  ]
  const inAllModes = jobs.flatMap(([name, script]) => [
    [name, 'none', script] as const,
    [`${name} in a group`, 'cgroup', script] as const,
    [`${name} in a namespace`, 'pid-namespace', script] as const,
  ])
  test.each(inAllModes)('no process of %s survives', async (_name, isolation, script) => {
    const mark = unique()
    const node = await startNode(script(mark), undefined, isolation)
    go(node)
    await untilOutput(node, 'up')
    expect(processesWith(mark).length).toBeGreaterThan(0)
    await kill(node)
    await eventually('the job is dead', () => processesWith(mark).length === 0)
    await eventually('the keeper is gone', () => !isAlive(node.process))
    expect(processesWith(mark)).toEqual([])
    expect(readExitRecord(node.workDir)).toMatchObject({ reason: 'node-gone', executionId: node.executionId })
    await eventually('what it held ready is gone', () => heldReady(node).length === 0)
    expect(await killLeftover(node)).toEqual({ keeperAlive: false, killed: 0 })
  })

  test('before the start, nothing was run', async () => {
    const mark = unique()
    const node = await startNode(`sleep ${mark}`)
    await kill(node)
    await eventually('the keeper is gone', () => !isAlive(node.process))
    expect(processesWith(mark)).toEqual([])
    expect(existsSync(join(node.workDir, 'process.json'))).toBe(false)
  })
})

describe('when node and keeper are killed together', () => {
  test('recovery proves the rest dead', async () => {
    const mark = unique()
    const node = await startNode(`trap "" TERM; setsid sleep ${mark} & echo up; sleep ${mark}; sleep ${mark}`)
    go(node)
    await untilOutput(node, 'up')
    process.kill(node.process.pid, 'SIGSTOP')
    await kill(node)
    process.kill(node.process.pid, 'SIGKILL')
    await eventually('the keeper is gone', () => !isAlive(node.process))
    const report = await killLeftover(node)
    expect(report.keeperAlive).toBe(false)
    expect(report.killed).toBeGreaterThan(0)
    expect(processesWith(mark)).toEqual([])
  })

  test('the same execution in a copy of the directory goes on', async () => {
    const mark = unique()
    const node = await startNode(`echo up; sleep ${mark}`)
    const copy = await startNode(`echo up; sleep ${mark}; sleep ${mark}`, node)
    for (const one of [node, copy]) {
      go(one)
      await untilOutput(one, 'up')
    }
    await kill(node)
    await eventually('the keeper is gone', () => !isAlive(node.process))
    expect(await killLeftover(node)).toEqual({ keeperAlive: false, killed: 0 })
    expect(isAlive(copy.process)).toBe(true)
    expect(processesWith(mark).length).toBeGreaterThan(0)
    expect(readExitRecord(copy.workDir)).toBeUndefined()
  })

  describe('recovery ends what has nothing but the mark of the keeper', () => {
    /** A shell with that mark, in a session of its own, and the number of the process that it says to have started. */
    async function shell(script: string): Promise<{ leader: number; child: number; over: Promise<unknown> }> {
      const started = spawn('sh', ['-c', script], {
        cwd: mkdtempSync(join(directory, 'sh-')),
        env: { PATH: process.env['PATH'], [KEEPER_VARIABLE]: keeperMarkerOf(directory) },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      })
      const over = once(started, 'exit')
      const [said] = (await once(started.stdout, 'data')) as [Buffer]
      return { leader: started.pid ?? 0, child: Number(said), over }
    }

    async function recoverFrom(pid: number): Promise<void> {
      const process: RunningProcess = { pid, startTime: '0', pgid: pid, bootId: bootId() }
      const report = await killLeftover({
        process,
        executionId: 'e-unbegun',
        workDir: join(directory, 'runs', 'e-unbegun'),
      })
      expect(report).toEqual({ keeperAlive: false, killed: 1 })
    }

    const lives = (pid: number): boolean => listProcesses().some((entry) => entry.pid === pid)

    test('what had not come to its program, but nothing of a keeper that lives', async () => {
      const forking = 'mkfifo fifo; (read line < fifo) & echo $!'
      const ours = await shell(forking)
      const another = await shell(`${forking}; exec sleep 1000`)
      await ours.over
      await recoverFrom(2 ** 22 + 1)
      expect([ours.child, another.child, another.leader].map(lives)).toEqual([false, true, true])
      for (const pid of [another.child, another.leader]) process.kill(pid, 'SIGKILL')
    })

    test('what it had started for itself, but nothing of another session', async () => {
      const starting = 'sleep 1000 & echo $!'
      const [ours, another] = [await shell(starting), await shell(starting)]
      await Promise.all([ours.over, another.over])
      for (const { child } of [ours, another])
        await eventually('it has come to its program', () => readName(child) === 'sleep')
      await recoverFrom(ours.leader)
      expect([ours.child, another.child].map(lives)).toEqual([false, true])
      process.kill(another.child, 'SIGKILL')
    })
  })

  test('recovery ends a keeper that hangs', async () => {
    const mark = unique()
    const node = await startNode(`echo up; sleep ${mark}`)
    go(node)
    await untilOutput(node, 'up')
    process.kill(node.process.pid, 'SIGSTOP')
    await kill(node)
    expect(await killLeftover(node)).toMatchObject({ keeperAlive: true })
    expect(isAlive(node.process)).toBe(false)
    expect(processesWith(mark)).toEqual([])
  })
})

describe('when only the keeper is killed', () => {
  test('the job is ended and the run says so', async () => {
    const mark = unique()
    const node = await startNode(`setsid sleep ${mark} & echo up; sleep ${mark}`)
    go(node)
    await untilOutput(node, 'up')
    process.kill(node.process.pid, 'SIGKILL')
    const record = await eventually('the record is written', () => readExitRecord(node.workDir))
    expect(record).toMatchObject({
      reason: 'keeper-lost',
      errorMessage: 'its keeper was killed, so the job was ended',
    })
    expect(processesWith(mark)).toEqual([])
  })
})

describe('a reused pid', () => {
  test('is neither alive nor killed', async () => {
    const stranger = spawn('sleep', ['1000'])
    await once(stranger, 'spawn')
    const pid = stranger.pid ?? 0
    const real = readProcess(pid)
    const recorded: RunningProcess = { pid, startTime: '12345', pgid: pid, bootId: bootId() }
    const leftover = { process: recorded, executionId: 'e-stranger', workDir: directory }
    expect(isAlive(recorded)).toBe(false)
    expect(await killLeftover(leftover)).toEqual({ keeperAlive: false, killed: 0 })
    // Even pid and start time alike, as in a pid namespace that began anew: it bears no mark of the execution.
    const twin = { ...recorded, startTime: real?.startTime ?? '' }
    expect(isAlive(twin)).toBe(true)
    expect(await killLeftover({ ...leftover, process: twin })).toEqual({ keeperAlive: false, killed: 0 })
    expect(isAlive({ ...twin, bootId: 'another-boot' })).toBe(false)
    expect(isAlive(twin)).toBe(true)
    stranger.kill('SIGKILL')
  })
})
