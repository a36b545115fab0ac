import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { Lookout } from '../../../src/compute/keeper/census.ts'
import { Cgroups } from '../../../src/compute/keeper/cgroups.ts'
import { Keeper, type KeptRun } from '../../../src/compute/keeper/keeper.ts'
import { keeperGroupOf } from '../../../src/compute/keeper/keeper-group.ts'
import { Launcher } from '../../../src/compute/keeper/launcher.ts'
import { isAlive, killLeftover, type LeftoverReport } from '../../../src/compute/keeper/leftover.ts'
import { LogPipes } from '../../../src/compute/keeper/log-pipes.ts'
import { dataDirOf, keeperMarkerOf } from '../../../src/compute/keeper/marker.ts'
import { locate, ownGroup } from '../../../src/compute/keeper/own-group.ts'
import { PidNamespaces } from '../../../src/compute/keeper/pid-namespaces.ts'
import { readProcess } from '../../../src/compute/keeper/process-table.ts'
import { ProgramRun } from '../../../src/compute/keeper/program-run.ts'
import type { ProgramLaunch, Shelter } from '../../../src/compute/keeper/protocol.ts'
import type { RunningProcess } from '../../../src/compute/keeper/running-process.ts'
import { logFile } from '../../../src/compute/keeper/work-files.ts'
import { processesWith } from '../work-bench.ts'
import { programLaunch } from './program-launch.ts'

const program = fileURLToPath(new URL('./node-that-dies.mjs', import.meta.url))
const { isolation, controllers } = await shelterHere()
const available = isolation === 'cgroup'
const { signal } = new AbortController()
let runs = 0
/** A number that the command lines of this test's processes hold, and no others. */
let mark = ''

beforeEach(() => {
  runs += 1
  mark = String(1_000_000_000 + process.pid * 1_000 + runs)
})

async function shelterHere(): Promise<Shelter> {
  const keeper = new Keeper()
  const shelter = await keeper.shelter('cgroup')
  await keeper.close()
  return shelter
}

function newKeeper(): Keeper {
  const keeper = new Keeper()
  onTestFinished(() => keeper.close())
  return keeper
}

function launchOf(script: string, changes: Partial<ProgramLaunch> = {}): ProgramLaunch {
  const workDir = join(temporaryDirectory(), 'work', `e-group-${runs}`)
  mkdirSync(workDir, { recursive: true })
  return programLaunch(script, {
    ...{ executionId: `e-group-${runs}`, workDir, isolation: 'cgroup', graceMs: 300, maxProcesses: 40 },
    ...changes,
  })
}

function prepare(keeper: Keeper, launch: ProgramLaunch): KeptRun {
  return keeper.prepare(launch, signal)
}

const logOf = ({ workDir }: { workDir: string }): string => {
  const path = logFile(workDir, 'stdout')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const nameOf = (keeper: RunningProcess, workDir: string): string =>
  keeperGroupOf({ ...keeper, place: keeperMarkerOf(dataDirOf(workDir)) })

const groupOf = (keeper: RunningProcess, workDir: string): string =>
  join(ownGroup() ?? '/nowhere', nameOf(keeper, workDir))

/** Nothing but its group tells to which job the last of these belongs. */
const getAway = (): string =>
  `setsid sleep ${mark}1 & (setsid sh -c "sleep ${mark}2 & sleep ${mark}3" &); (cd / && setsid env -i /bin/sh -c "sleep ${mark}4 & sleep ${mark}5 &" &) ; sleep 0.4`

describe('the group of a process', () => {
  test('is found below the mount that shows it', () => {
    const v1 = '31 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n'
    const mount = (root: string, place: string): string =>
      `${v1}41 31 0:38 ${root} ${place} rw - cgroup2 c rw\n`
    const unified = mount('/', '/sys/fs/cgroup/unified')
    expect(locate('1:cpu:/x\n0::/\n', unified)).toBe('/sys/fs/cgroup/unified/')
    expect(locate('0::/a.slice/b.service\n', unified)).toBe('/sys/fs/cgroup/unified/a.slice/b.service')
    expect(locate('0::/docker/1/x\n', mount('/docker/1', '/sys/fs/cgroup'))).toBe('/sys/fs/cgroup/x')
    expect(locate('0::/docker/1\n', mount('/docker/1', '/sys/fs/cgroup'))).toBe('/sys/fs/cgroup')
    expect(locate('0::/x\n', mount('/', '/mnt/with\\040space'))).toBe('/mnt/with space/x')
  })

  test('is unknown where no mount shows it', () => {
    expect(locate('1:cpu:/\n', '41 31 0:38 / /sys/fs/cgroup rw - cgroup2 c rw\n')).toBeUndefined()
    expect(
      locate('0::/docker/12\n', '41 31 0:38 /docker/1 /sys/fs/cgroup rw - cgroup2 c rw\n'),
    ).toBeUndefined()
    expect(locate('0::/../x\n', '41 31 0:38 / /sys/fs/cgroup rw - cgroup2 c rw\n')).toBeUndefined()
    expect(locate('0::/\n', '31 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n')).toBeUndefined()
  })
})

// Where cgroup v2 is not mounted or not writable, jobs run without; `exec.test.ts` is about those.
describe.runIf(available)('a native job in a cgroup of its own', () => {
  test('is in there before its own code runs, and its group is gone with it', async () => {
    const launch = launchOf('grep ^0:: /proc/self/cgroup; read first < /proc/$PPID/cgroup; echo "$first"')
    const run = prepare(newKeeper(), launch)
    expect(await run.go()).toMatchObject({ reason: 'exited', exitCode: 0 })
    const [job = '', keeper] = logOf(launch).split('\n')
    expect(job).toContain(`/${nameOf(run.process, launch.workDir)}/${launch.executionId}.`)
    // The keeper is back where it was.
    expect(keeper).not.toContain(launch.executionId)
    expect(
      readdirSync(groupOf(run.process, launch.workDir), { withFileTypes: true }).some((one) =>
        one.isDirectory(),
      ),
    ).toBe(false)
  })

  test.each(['what starts others in namespaces', 'the tools of the system'])(
    'is in there beside a namespace, too, where it is started by %s',
    async (starter) => {
      const keeper = {
        pid: process.pid,
        startTime: readProcess(process.pid)?.startTime ?? '',
        place: `p${runs}`,
      }
      const [namespaces, groups] = [await PidNamespaces.find({}), await Cgroups.find(keeper)]
      if (namespaces === undefined) return
      const launcher = starter.startsWith('what') ? await Launcher.find(namespaces, {}) : undefined
      const tools = { lookout: new Lookout(), pipes: new LogPipes(), namespaces, launcher, groups }
      const launch = launchOf('grep ^0:: /proc/self/cgroup; exit 3')
      const record = await new Promise((resolve) => new ProgramRun(launch, tools, resolve).go())
      groups?.close()
      expect(record).toMatchObject({ reason: 'exited', exitCode: 3 })
      expect(logOf(launch)).toContain(`/${keeperGroupOf(keeper)}/${launch.executionId}.`)
    },
  )

  test('ends with its own exit code, and with its own signal', async () => {
    const keeper = newKeeper()
    const ended = async (script: string): Promise<unknown> => await prepare(keeper, launchOf(script)).go()
    expect(await ended('exit 77')).toMatchObject({ exitCode: 77, signal: null, reason: 'exited' })
    expect(await ended('kill -KILL $$')).toMatchObject({
      exitCode: null,
      signal: 'SIGKILL',
      reason: 'killed',
    })
    expect(await ended('kill -SEGV $$')).toMatchObject({ exitCode: null, signal: 'SIGSEGV' })
  })

  test('has its environment as it was given, and no other', async () => {
    const launch = launchOf('', { command: '/usr/bin/env', args: [], env: { 'A-B': 'two', LD_PRELOAD: '' } })
    await prepare(newKeeper(), launch).go()
    expect(logOf(launch)).toMatch(/^A-B=two\nLD_PRELOAD=\nSALTCOD_EXECUTION=[^\n]+\n$/)
  })

  test('leaves nothing, whatever it did to get away', async () => {
    const run = prepare(newKeeper(), launchOf(`${getAway()}; exit 5`))
    expect(await run.go()).toMatchObject({ exitCode: 5 })
    expect(processesWith(mark)).toEqual([])
  })

  test('is ended where it cannot be stopped from being frozen or stopped', async () => {
    const keeper = newKeeper()
    const freeze = `cd ${ownGroup()}/$(sed -n s/^0::.//p /proc/self/cgroup) && echo 1 > cgroup.freeze; echo on`
    for (const script of [freeze, 'kill -STOP $$; echo on', 'trap "" TERM; while :; do sleep 0.05; done']) {
      const run = prepare(keeper, launchOf(script, { timeMs: 200 }))
      expect(await run.go()).toMatchObject({ reason: 'timeout' })
    }
  })

  test('makes no groups in its own, where its processes would not be seen', async () => {
    const launch = launchOf(
      `mkdir ${ownGroup()}/$(sed -n s/^0::.//p /proc/self/cgroup)/inner || echo refused`,
    )
    await prepare(newKeeper(), launch).go()
    expect(logOf(launch)).toBe('refused\n')
  })

  test('is bounded in processes and memory, with those that lost their parent', async () => {
    const keeper = newKeeper()
    const bomb = `f() { setsid sleep ${mark} & f & f; }; f`
    expect(await prepare(keeper, launchOf(bomb)).go()).toMatchObject({
      reason: 'killed',
      errorMessage: 'it had more than 40 processes at a time',
    })
    expect(processesWith(mark)).toEqual([])
    const hog = `const all = []; setInterval(() => all.push(Buffer.alloc(5e6, 1)), 1)`
    const script = `(cd / && setsid env -i ${process.execPath} -e '${hog}' &); sleep 60`
    const run = prepare(keeper, launchOf(script, { memoryBytes: 150e6 }))
    expect(await run.go()).toMatchObject({ reason: 'memory' })
  })

  test('can be cancelled at every moment', async () => {
    const keeper = newKeeper()
    for (const pauseMs of [0, 1, 3, 10, 30]) {
      const stopper = new AbortController()
      setTimeout(() => stopper.abort(), pauseMs)
      const run = keeper.prepare(launchOf(`sleep ${mark}`), stopper.signal)
      expect(await run.go()).toMatchObject({ reason: 'cancelled' })
      expect(processesWith(mark)).toEqual([])
    }
  })

  test('ends whole when its keeper is killed', async () => {
    const launch = launchOf(`${getAway()}; echo up; sleep ${mark}`)
    const run = prepare(newKeeper(), launch)
    const over = run.go()
    await eventually('the job is up', () => logOf(launch) === 'up\n')
    process.kill(run.process.pid, 'SIGKILL')
    expect(await over).toMatchObject({ reason: 'keeper-lost' })
    expect(processesWith(mark)).toEqual([])
    expect(existsSync(groupOf(run.process, launch.workDir))).toBe(false)
  })
})

interface DeadNode {
  readonly process: RunningProcess
  readonly executionId: string
  readonly workDir: string
}

/** A node with a job that tries to get away, killed together with its keeper. */
async function killedNode(directory: string): Promise<DeadNode> {
  const executionId = `e-group-${runs}`
  const workDir = join(directory, 'work', executionId)
  const script = `${getAway()}; echo up; sleep ${mark}`
  const node: ChildProcess = spawn(process.execPath, [program, workDir, executionId, script], {
    env: { ...process.env, ISOLATION: 'cgroup' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await once(node.stdout ?? node, 'data')) as [Buffer]
  const keeper = JSON.parse(line.toString()) as RunningProcess
  node.stdin?.write('go\n')
  await eventually('the job is up', () => logOf({ workDir }) === 'up\n')
  process.kill(keeper.pid, 'SIGSTOP')
  node.kill('SIGKILL')
  process.kill(keeper.pid, 'SIGKILL')
  await eventually('the keeper is gone', () => !isAlive(keeper))
  return { process: keeper, executionId, workDir }
}

describe.runIf(available)('when node and keeper are killed together', () => {
  test('recovery ends what is in the group of the run, and what is not', async () => {
    const dead = await killedNode(temporaryDirectory())
    expect(processesWith(mark).length).toBeGreaterThan(0)
    const report: LeftoverReport = await killLeftover(dead)
    expect(report.keeperAlive).toBe(false)
    expect(report.killed).toBeGreaterThan(0)
    expect(processesWith(mark)).toEqual([])
    expect(existsSync(groupOf(dead.process, dead.workDir))).toBe(false)
  })

  test('the next keeper of the place ends what it left, and that of another place touches nothing', async () => {
    const directory = temporaryDirectory()
    const dead = await killedNode(directory)
    // The first process of the job dies of its keeper's death a moment later.
    await delay(500)
    const others = processesWith(mark)
    await prepare(newKeeper(), launchOf('exit 0')).go()
    expect(processesWith(mark)).toEqual(others)
    const keeper = new Keeper({ dataDir: directory })
    onTestFinished(() => keeper.close())
    expect(await keeper.shelter('cgroup')).toMatchObject({ isolation: 'cgroup' })
    expect(processesWith(mark)).toEqual([])
    expect(existsSync(groupOf(dead.process, dead.workDir))).toBe(false)
  })
})

// Where the controllers are in the hierarchy of version 1, or not given to the node, the keeper bounds its jobs alone.
describe.runIf(available && controllers.includes('memory'))('where the kernel bounds a job', () => {
  test.each(['cgroup', 'pid-namespace'] as const)(
    'by memory, with %s, the record says so',
    async (wanted) => {
      const hog = 'a=$(head -c 400000000 /dev/zero | tr "\\0" x); echo on'
      const launch = launchOf(hog, { isolation: wanted, memoryBytes: 50e6 })
      const record = await prepare(newKeeper(), launch).go()
      expect(record).toMatchObject({
        reason: 'memory',
        errorMessage: 'it used more memory than its limit of 50000000 bytes',
      })
      expect(logOf(launch)).toBe('')
    },
  )
})

describe.runIf(available && controllers.includes('pids'))('where the kernel bounds a job', () => {
  test('it bounds processes and weighs processors', async () => {
    const place = `${ownGroup()}/$(sed -n s/^0::.//p /proc/self/cgroup)`
    const launch = launchOf(`cd ${place}; cat pids.max cpu.weight`, { cpus: 0.5 })
    await prepare(newKeeper(), launch).go()
    expect(logOf(launch)).toBe('80\n50\n')
  })
})
