import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { EngineOutcome } from '../../src/compute/keeper/outcome.ts'
import { readOutcome } from '../../src/compute/keeper/outcome.ts'
import type { RunLimits } from '../../src/engines/engine.ts'
import { ExecEngine } from '../../src/engines/exec/exec-engine.ts'
import { EXEC } from '../../src/engines/exec/parameters.ts'
import { parameterLines } from '../../src/spec/parameters.ts'
import { bareRun, processesWith } from '../compute/work-bench.ts'

// Where a job could reach what watches it; `isolation.test.ts` has the rest.
const engine = new ExecEngine({ allowed: true, isolation: 'none', graceMs: 300, maxProcesses: 40 })
let workDir: string
let stopper: AbortController

beforeEach(() => {
  workDir = temporaryDirectory()
  stopper = new AbortController()
})

async function runCommand(
  command: string,
  args: readonly string[],
  limits: Partial<RunLimits> = {},
): Promise<EngineOutcome> {
  const task = {
    Engine: { Type: 'exec', Params: { Command: command, Arguments: args } },
    Env: { COLOUR: 'red' },
  }
  const prepared = await engine.prepare(await bareRun(workDir, task, limits), { signal: stopper.signal })
  return await prepared.go()
}

const shell = (script: string, limits: Partial<RunLimits> = {}): Promise<EngineOutcome> =>
  runCommand('sh', ['-c', script], limits)

describe('a native job', () => {
  test('runs and leaves its output, exit code and exit record', async () => {
    const outcome = await shell('echo out; echo err >&2; exit 3')
    expect(outcome).toMatchObject({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      errorMessage: null,
      reason: 'exited',
    })
    expect(readFileSync(join(workDir, 'stdout'), 'utf8')).toBe('out\n')
    expect(readOutcome(workDir)).toEqual(outcome)
  })

  test('may open its standard streams by name', async () => {
    expect(await shell('echo a > /dev/stdout; echo b > /dev/stderr')).toMatchObject({
      stdout: 'a\n',
      stderr: 'b\n',
    })
  })

  test('sees its own environment and nothing of the node', async () => {
    process.env['CANARY_OF_THE_NODE'] = 'secret'
    const { stdout } = await shell('env')
    delete process.env['CANARY_OF_THE_NODE']
    expect(stdout).toContain('COLOUR=red\n')
    expect(stdout).toContain('BACALHAU_JOB_ID=j-test\n')
    expect(stdout).not.toContain('CANARY')
  })

  test('is given its arguments as they are, with no shell in between', async () => {
    const argument = '$(touch pwned); `id` * "\' \\ \n end'
    const { stdout } = await runCommand('printf', ['%s', argument])
    expect(stdout).toBe(argument)
  })

  test('inherits no open file of the node', async () => {
    const { stdout } = await shell('ls /proc/self/fd | sort -n | tr "\\n" " "')
    // 3 is the directory that ls itself reads.
    expect(stdout.trim()).toBe('0 1 2 3')
  })

  test('keeps the head of a long output, and the file up to its limit', async () => {
    const outcome = await shell('yes 0123456789 | head -c 1000000', { logBytes: 50_000 })
    expect(outcome.stdout).toHaveLength(2_048)
    expect(outcome.stdoutTruncated).toBe(true)
    expect(readFileSync(join(workDir, 'stdout'))).toHaveLength(50_000)
  })

  test('does not end on a character cut in two', async () => {
    const { stdout } = await shell(`printf 'x'; yes 'ä' | tr -d '\\n' | head -c 4000`)
    expect(stdout).toBe(`x${'ä'.repeat(1_023)}`)
  })
})

describe('a native job that cannot start', () => {
  test('says which command was not found', async () => {
    const outcome = await runCommand('no-such-command', [])
    expect(outcome).toMatchObject({ reason: 'start-failed', exitCode: null })
    expect(outcome.errorMessage).toBe(
      'exec: the command "no-such-command" was not found in PATH (/usr/local/bin:/usr/bin:/bin)',
    )
  })

  test('says that a file is not executable', async () => {
    writeFileSync(join(workDir, 'plain'), 'text')
    expect((await runCommand('../plain', [])).errorMessage).toContain('is not an executable file')
  })

  test('says so when its environment cannot be given to a program', async () => {
    const task = { Engine: { Type: 'exec', Params: { Command: 'true' } }, Env: { BAD: 'a\0b' } }
    const outcome = await (
      await engine.prepare(await bareRun(workDir, task), { signal: stopper.signal })
    ).go()
    expect(outcome).toMatchObject({ reason: 'start-failed', exitCode: null })
    expect(outcome.errorMessage).toContain('could not be started')
  })

  test('is refused where exec is off', async () => {
    const off = new ExecEngine({ allowed: false })
    expect(await off.available()).toEqual({ ok: false, reason: expect.stringContaining('--allow-exec') })
    const run = await bareRun(workDir, { Engine: { Type: 'exec', Params: { Command: 'true' } } })
    const outcome = await (await off.prepare(run, { signal: stopper.signal })).go()
    expect(outcome.reason).toBe('start-failed')
  })

  test.each([
    [{}, 'exec: Command is missing; give the name or the path of a program'],
    [{ Command: 7 }, 'exec: Command must be a text'],
    [{ Command: 'a\0b' }, 'exec: Command must not hold a NUL character'],
    [{ command: 'ls', arguments: 'x' }, 'exec: Arguments must be a list of texts'],
  ])('parameters %j are refused', (params, problem) => {
    expect(parameterLines(EXEC, params)).toEqual([problem])
  })

  test('null parameters are absent ones', () => {
    expect(parameterLines(EXEC, { Command: 'ls', Arguments: null })).toEqual([])
  })
})

describe('the bounds of a native job', () => {
  test('time: it is ended at its limit', async () => {
    const outcome = await shell('echo begun; sleep 1000', { timeMs: 1_000 })
    expect(outcome).toMatchObject({ reason: 'timeout', stdout: 'begun\n', exitCode: null, signal: 'SIGTERM' })
    expect(outcome.errorMessage).toBe('it ran longer than its limit of 1s')
  })

  test('time: SIGKILL follows when SIGTERM is ignored', async () => {
    const outcome = await shell('trap "" TERM; while :; do sleep 1; done', { timeMs: 200 })
    expect(outcome).toMatchObject({ reason: 'timeout', signal: 'SIGKILL' })
  })

  test('time: also where it stops what watches it', async () => {
    const outcome = await shell('kill -STOP $PPID; sleep 60', { timeMs: 400 })
    expect(outcome).toMatchObject({
      reason: 'timeout',
      errorMessage: 'it ran longer than its limit of 400ms',
    })
    expect(processesWith(workDir)).toEqual([])
  })

  test('memory: of all its processes together', async () => {
    const grab = process.execPath
    const script = 'const hold = Buffer.alloc(60e6, 1); setTimeout(() => hold, 1e8)'
    const outcome = await shell(
      `${grab} -e '${script}' & ${grab} -e '${script}' & ${grab} -e '${script}' & wait`,
      {
        memoryBytes: 150_000_000,
      },
    )
    expect(outcome).toMatchObject({ reason: 'memory', signal: 'SIGKILL' })
    expect(outcome.errorMessage).toBe('it used more memory than its limit of 150000000 bytes')
  })

  test('processes: too many at a time end it', async () => {
    const outcome = await shell('for i in $(seq 200); do sleep 1000 & done; wait')
    expect(outcome).toMatchObject({ reason: 'killed' })
    expect(outcome.errorMessage).toContain('more than 40 processes')
  })

  test('files: none grows beyond the limit', async () => {
    const outcome = await shell('exec head -c 5000000 /dev/zero > big', { outputBytes: 1_000_000 })
    expect(outcome).toMatchObject({ reason: 'killed', signal: 'SIGXFSZ' })
    expect(readFileSync(join(workDir, 'root', 'big'))).toHaveLength(1_000_000)
  })
})

describe('the disk that a native job may fill', () => {
  test('is bounded over all its files', async () => {
    const script = 'for i in $(seq 1000); do head -c 500000 /dev/zero > f$i; sleep 0.02; done'
    const outcome = await shell(script, { outputBytes: 1_000_000 })
    expect(outcome).toMatchObject({
      reason: 'killed',
      errorMessage: 'it wrote more than its limit of 1000000 bytes',
    })
  })
})

test.each(['ln victim ../stdout', 'ln -s victim ../stdout', 'mkdir ../stdout', 'mkfifo ../stdout'])(
  'what a job puts in the place of its log is neither written to nor taken for it: %s',
  async (trick) => {
    const script = `echo before > victim; ${trick}; echo of the job; cat victim > ../copy`
    const task = { Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } } }
    const prepared = await engine.prepare(await bareRun(workDir, task), { signal: stopper.signal })
    expect(await prepared.go()).toMatchObject({ stdout: 'of the job\n', exitCode: 0 })
    expect(readFileSync(join(workDir, 'root/victim'), 'utf8')).toBe('before\n')
  },
)

describe('cancelling', () => {
  test('gives the job time to end by itself', async () => {
    const task = {
      Engine: {
        Type: 'exec',
        Params: {
          Command: 'sh',
          Arguments: ['-c', 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done'],
        },
      },
    }
    const prepared = await engine.prepare(await bareRun(workDir, task), { signal: stopper.signal })
    const outcome = prepared.go()
    await eventually('the job is up', () => existsSync(join(workDir, 'stdout')))
    stopper.abort()
    expect(await outcome).toMatchObject({ reason: 'cancelled', stdout: 'up\nbye\n', exitCode: 0 })
  })

  test('reaches a job that stopped what watches it', async () => {
    const mark = `${1_000_000 + process.pid}1`
    const outcome = shell(`kill -STOP $PPID; echo up; exec sleep ${mark}`)
    await eventually('the job is up', () => processesWith(`sleep\0${mark}`).length > 0)
    stopper.abort()
    expect(await outcome).toMatchObject({ reason: 'cancelled', signal: 'SIGTERM', stdout: 'up\n' })
  })

  test('or its time limit ends a job that stops what watches it as fast as it is woken', async () => {
    const mark = `${1_000_000 + process.pid}2`
    const outcome = await shell(`sleep ${mark} & while :; do kill -STOP $PPID; done`, { timeMs: 100 })
    expect(['timeout', 'keeper-lost']).toContain(outcome.reason)
    expect(processesWith(mark)).toEqual([])
  })

  test('before the start means that nothing runs', async () => {
    stopper.abort()
    expect(await shell('echo no')).toMatchObject({ reason: 'cancelled', stdout: '', exitCode: null })
  })

  test('a run given up before its start leaves nothing', async () => {
    const mark = `mark-${process.pid}`
    const task = { Engine: { Type: 'exec', Params: { Command: 'sleep', Arguments: ['1000', mark] } } }
    const prepared = await engine.prepare(await bareRun(workDir, task), { signal: stopper.signal })
    await prepared.abandon()
    expect(processesWith(mark)).toEqual([])
    expect(readOutcome(workDir)).toBeUndefined()
  })
})

describe('what a job leaves running', () => {
  test('is ended with it, whatever it did to get away', async () => {
    const second = 1_000_000 + process.pid
    // In turn: a background process, a session of its own, one with a clean environment as well.
    const script = `sleep ${second}1 & setsid sleep ${second}2 & (cd / && exec setsid env -i /bin/sleep ${second}3) & sleep 0.4; echo done`
    expect(await shell(script)).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    expect(processesWith(String(second))).toEqual([])
  })
})
