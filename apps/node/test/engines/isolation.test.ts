import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { Lookout } from '../../src/compute/keeper/census.ts'
import { limit } from '../../src/compute/keeper/confinement.ts'
import type { ExitRecord } from '../../src/compute/keeper/exit-record.ts'
import { LogPipes } from '../../src/compute/keeper/log-pipes.ts'
import type { EngineOutcome } from '../../src/compute/keeper/outcome.ts'
import { PidNamespaces } from '../../src/compute/keeper/pid-namespaces.ts'
import { childrenOf, readName, readProcess } from '../../src/compute/keeper/process-table.ts'
import { ProgramRun } from '../../src/compute/keeper/program-run.ts'
import type { ProgramLaunch } from '../../src/compute/keeper/protocol.ts'
import type { RunLimits } from '../../src/engines/engine.ts'
import { ExecEngine } from '../../src/engines/exec/exec-engine.ts'
import { programLaunch } from '../compute/keeper/program-launch.ts'
import { bareRun, processesWith } from '../compute/work-bench.ts'

const available = (await PidNamespaces.find({})) !== undefined
const engine = new ExecEngine({ allowed: true, graceMs: 300, maxProcesses: 40 })
let directory: string
let stopper: AbortController
let runs = 0

beforeEach(() => {
  directory = temporaryDirectory()
  stopper = new AbortController()
})
afterAll(() => engine.keeper.close())

async function shell(
  script: string,
  limits: Partial<RunLimits> = {},
  env: Record<string, string> = {},
): Promise<EngineOutcome> {
  runs += 1
  const task = { Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }, Env: env }
  const run = await bareRun(join(directory, String(runs)), task, limits)
  return await (await engine.prepare(run, { signal: stopper.signal })).go()
}

const logOf = (run: number): string => {
  const path = join(directory, String(run), 'stdout')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** Whoever may start programs as an ordinary user in a user namespace. */
const IN_USER_NAMESPACE = [
  ...(process.getuid?.() === 0 ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'] : []),
  ...['unshare', '--user', '--map-current-user'],
]
const inUserNamespace = (...command: readonly string[]): SpawnSyncReturns<string> =>
  spawnSync('env', [...IN_USER_NAMESPACE, ...command], { encoding: 'utf8', cwd: '/' })

test.runIf(inUserNamespace('true').status === 0)(
  'the kernel bounds the processes of an ordinary user in a namespace of its own, and none outside',
  () => {
    const script = 'i=0; while [ $i -lt 40 ]; do sleep 0.5 & i=$((i+1)); done; echo made all'
    const limits = { fileBytes: 1_000, dataBytes: null }
    const made = (tasks: number | null): string => {
      const line = limit({ command: 'sh', args: ['-c', script] }, { ...limits, tasks })
      return inUserNamespace(line.command, ...line.args).stdout
    }
    expect(made(20)).toBe('')
    expect(made(60)).toBe('made all\n')
    expect(made(null)).toBe('made all\n')
  },
)

// Where the machine or the user may not make PID namespaces, jobs run without; `exec.test.ts` is about those.
describe.runIf(available)('a native job in a namespace of its own', () => {
  test('sees its own processes alone', async () => {
    const { stdout } = await shell(
      'for p in /proc/[0-9]*; do read name < "$p/comm"; echo "$name"; done; echo $$ $PPID',
    )
    expect(stdout).toBe('cat\nsh\n2 0\n')
  })

  test('ends with its own exit code, and with its own signal', async () => {
    expect(await shell('exit 77')).toMatchObject({ exitCode: 77, signal: null, reason: 'exited' })
    expect(await shell('kill -KILL $$')).toMatchObject({
      exitCode: null,
      signal: 'SIGKILL',
      reason: 'killed',
    })
    expect(await shell('kill -SEGV $$')).toMatchObject({ exitCode: null, signal: 'SIGSEGV' })
  })

  test('starts in its directory, with its environment, and may open its streams by name', async () => {
    const outcome = await shell(
      'pwd; echo "$COLOUR"; echo named > /dev/stdout; echo err > /dev/stderr',
      {},
      { COLOUR: 'red' },
    )
    expect(outcome).toMatchObject({ exitCode: 0, stderr: 'err\n' })
    expect(outcome.stdout).toBe(`${join(directory, String(runs), 'root')}\nred\nnamed\n`)
  })

  test('is given variables that load code only once it is inside', async () => {
    const { stdout, stderr } = await shell('echo "$LD_PRELOAD"', {}, { LD_PRELOAD: '/nowhere/evil.so' })
    expect(stdout).toBe('/nowhere/evil.so\n')
    // One complaint of the loader for each program inside, and none for what waits outside.
    expect(stderr).not.toMatch(/nsenter|unshare/)
  })

  test('reaches no neighbour, whatever it kills', async () => {
    const neighbour = shell('sleep 1; echo unharmed')
    // Where isolation is broken these would end all that the user has on the machine, so each looks first.
    const inside = 'test $PPID = 0 || exit 99;'
    const outcomes = await Promise.all([
      shell(`${inside} kill -KILL -1; echo on`),
      shell(`${inside} kill -STOP $PPID`, { timeMs: 300 }),
      shell(`${inside} kill -KILL 0`),
      shell(`${inside} pkill -KILL sleep; killall -KILL sleep; echo on`),
    ])
    expect(outcomes.map(({ exitCode }) => exitCode)).not.toContain(99)
    expect(await neighbour).toMatchObject({ exitCode: 0, stdout: 'unharmed\n' })
  })

  test('leaves nothing, whatever it did to get away', async () => {
    const second = 1_000_000 + process.pid
    const script = `sleep ${second}1 & setsid sleep ${second}2 & (setsid sh -c "sleep ${second}3 & sleep ${second}4" &) ; (cd / && exec setsid env -i /bin/sleep ${second}5) & sleep 0.4; echo done`
    expect(await shell(script)).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    expect(processesWith(String(second))).toEqual([])
  })

  test('is told to end, and ended where it does not', async () => {
    const polite = shell('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done', {
      timeMs: 500,
    })
    const deaf = shell('trap "" TERM; while :; do sleep 0.05; done', { timeMs: 200 })
    const stopped = shell('kill -STOP $$; echo on', { timeMs: 200 })
    expect(await polite).toMatchObject({ reason: 'timeout', exitCode: 0, stdout: 'up\nbye\n' })
    expect(await deaf).toMatchObject({ reason: 'timeout', signal: 'SIGKILL' })
    expect(await stopped).toMatchObject({ reason: 'timeout', signal: 'SIGTERM' })
  })

  test('can be cancelled at every moment', async () => {
    for (const pauseMs of [0, 1, 3, 10, 30]) {
      stopper = new AbortController()
      setTimeout(() => stopper.abort(), pauseMs)
      const mark = `${1_000_000 + process.pid}${pauseMs}`
      expect(await shell(`sleep ${mark}`)).toMatchObject({ reason: 'cancelled' })
      expect(processesWith(mark)).toEqual([])
    }
  })

  test('is bounded in processes and memory, with those that lost their parent', async () => {
    const fork = 'i=0; while [ $i -lt 60 ]; do setsid sleep 100 & i=$((i+1)); done; wait'
    expect(await shell(fork)).toMatchObject({
      reason: 'killed',
      errorMessage: 'it had more than 40 processes at a time',
    })
    const hog = `node -e 'const all = []; setInterval(() => all.push(Buffer.alloc(5e6, 1)), 1)'`
    expect(
      await shell(`PATH=${join(process.execPath, '..')}:$PATH; (setsid ${hog} &); sleep 60`, {
        memoryBytes: 150e6,
      }),
    ).toMatchObject({ reason: 'memory' })
  })

  test('comes after its keeper and what starts it, which alone are put first', async () => {
    const nice = (pid: number | string): string | undefined =>
      readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[16]
    const mark = `${1_000_000 + process.pid}88`
    const outcome = shell(`nice; exec sleep ${mark}`, { timeMs: 1_000 })
    const [job = 0] = await eventually('the job is up', () => {
      const found = processesWith(`sleep\0${mark}`)
      return found.length > 0 && found
    })
    const launcher = readProcess(job)?.ppid ?? 0
    const keeper = readProcess(launcher)?.ppid ?? 0
    const helpers = childrenOf(keeper).filter((pid) => pid !== launcher)
    expect(helpers.length).toBeGreaterThan(0)
    for (const pid of [...helpers, job]) expect(nice(pid)).toBe(nice('self'))
    // Only some users may put a process first.
    expect([nice('self'), '-15']).toContain(nice(keeper))
    expect(nice(launcher)).toBe(nice(keeper))
    expect((await outcome).stdout).toBe(`${nice('self')}\n`)
  })

  test('has the nice value of a node that was given one', () => {
    const node = fileURLToPath(new URL('./niced-node.mjs', import.meta.url))
    const { stdout } = spawnSync('nice', ['-n', '5', process.execPath, node, directory], { encoding: 'utf8' })
    const own = spawnSync('nice', { encoding: 'utf8' }).stdout
    expect(stdout).toBe(`${Math.min(Number(own) + 5, 19)}\n`)
  })

  test('is still bounded after it was quiet for long', async () => {
    const hog = `exec node -e 'const all = []; setTimeout(() => setInterval(() => all.push(Buffer.alloc(5e6, 1)), 1), 2500)'`
    expect(
      await shell(`PATH=${join(process.execPath, '..')}:$PATH; ${hog}`, { memoryBytes: 150e6 }),
    ).toMatchObject({ reason: 'memory' })
  })

  test('is ended where what starts programs is killed, and the next one is started by another', async () => {
    const mark = `${1_000_000 + process.pid}77`
    const outcome = shell(`setsid sleep ${mark} & exec sleep ${mark}`)
    // No pid at all would mean the whole group of this process.
    const launcher = await eventually('the job is up', () => {
      const parents = processesWith(`sleep\0${mark}`).map((pid) => readProcess(pid)?.ppid ?? 0)
      return parents.find((pid) => readName(pid) === 'perl')
    })
    process.kill(launcher, 'SIGKILL')
    expect(await outcome).toMatchObject({
      reason: 'keeper-lost',
      errorMessage: 'what starts the programs of the node was killed, so the job was ended',
    })
    expect(processesWith(mark)).toEqual([])
    expect(await shell('exit 3')).toMatchObject({ exitCode: 3 })
  })

  test('cannot hold up what starts programs, and is started by it where it was stopped', async () => {
    const launcher = await eventually('one is there', () =>
      childrenOf(process.pid)
        .flatMap((keeper) => childrenOf(keeper))
        .find((pid) => readName(pid) === 'perl'),
    )
    process.kill(launcher, 'SIGSTOP')
    expect(await shell('exit 4')).toMatchObject({ exitCode: 4 })
  })

  test('inherits nothing from what starts it', async () => {
    const script = 'ls /proc/self/fd | tr "\\n" " "; grep -E "^Sig(Blk|Ign)" /proc/self/status; env | sort'
    const { stdout } = await shell(script, {}, { ONLY: 'this' })
    expect(stdout).toMatch(/^0 1 2 3 SigBlk:\t0+\nSigIgn:\t0+\n/)
    expect(stdout).not.toMatch(/PERL|SALTCOD_(?:RUNNER|KEEPER)/)
  })

  test('that cannot be started says why, and one without a first line is a script of the shell', async () => {
    writeFileSync(join(directory, 'dangling'), '#!/nowhere/interpreter\n', { mode: 0o755 })
    writeFileSync(join(directory, 'plain'), 'echo "$0 $1"\n', { mode: 0o755 })
    const start = async (name: string, args: string[]): Promise<EngineOutcome> => {
      runs += 1
      const task = { Engine: { Type: 'exec', Params: { Command: join(directory, name), Arguments: args } } }
      const run = await bareRun(join(directory, String(runs)), task)
      return await (await engine.prepare(run, { signal: stopper.signal })).go()
    }
    expect(await start('dangling', [])).toMatchObject({
      reason: 'start-failed',
      errorMessage: `${join(directory, 'dangling')} could not be started: spawn ENOENT`,
    })
    expect((await start('plain', ['x'.repeat(200_000)])).errorMessage).toBe(
      `${join(directory, 'plain')} could not be started: spawn E2BIG`,
    )
    expect((await start('plain', ['one'])).stdout).toBe(`${join(directory, 'plain')} one\n`)
  })
})

// Where there is no Perl, the tools of the system replace each other.
test.runIf(available)('a native job is run in a namespace without what else would start it', async () => {
  const namespaces = await PidNamespaces.find({})
  const tools = {
    lookout: new Lookout(),
    pipes: new LogPipes(),
    groups: undefined,
    namespaces,
    launcher: undefined,
  }
  const runOf = async (script: string, own: Partial<ProgramLaunch> = {}): Promise<ExitRecord | undefined> => {
    runs += 1
    const workDir = join(directory, String(runs))
    mkdirSync(workDir)
    const bounds = { isolation: 'pid-namespace', graceMs: 300, maxProcesses: 40 } as const
    const launch = programLaunch(script, { executionId: `e-${runs}`, workDir, ...bounds, ...own })
    return await new Promise((resolve) => new ProgramRun(launch, tools, resolve).go())
  }
  const env = { PATH: '/usr/bin:/bin', LD_PRELOAD: '/nowhere/evil.so' }
  expect(await runOf('echo "$LD_PRELOAD"; exit 77', { env })).toMatchObject({ exitCode: 77 })
  expect(logOf(runs)).toBe('/nowhere/evil.so\n')
  expect(readFileSync(join(directory, String(runs), 'stderr'), 'utf8')).not.toMatch(/nsenter|unshare/)
  expect(await runOf('kill -SEGV $$')).toMatchObject({ reason: 'killed', signal: 'SIGSEGV' })
  const stopped = await runOf('kill -STOP $$; echo on', { timeMs: 200 })
  expect(stopped).toMatchObject({ reason: 'timeout', signal: 'SIGTERM' })
})
