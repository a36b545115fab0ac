import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { KEEPER_VARIABLE, keeperMarkerOf } from '../../../src/compute/keeper/marker.ts'
import {
  type FromKeeper,
  Messages,
  type ProgramLaunch,
  type ToKeeper,
} from '../../../src/compute/keeper/protocol.ts'
import { jobProcessFile } from '../../../src/compute/keeper/work-files.ts'
import { within } from '../../../src/waiting/time-limit.ts'

const PROGRAM = fileURLToPath(new URL('../../../dist/compute/keeper/keeper-main.js', import.meta.url))
const RUNS = 100

function launchIn(workDir: string): ProgramLaunch {
  const cwd = join(workDir, 'root')
  mkdirSync(cwd, { recursive: true })
  const bounds = { timeMs: null, memoryBytes: null, dataBytes: null, maxProcesses: 100, graceMs: 1_000 }
  const sizes = { logBytes: 1_000, outputBytes: 1_000_000 }
  const start = {
    command: '/bin/true',
    args: [],
    env: {},
    cwd,
    isolation: 'none',
    cpus: null,
    sharing: null,
  } as const
  return { kind: 'program', executionId: 'e-many', attempt: 1, workDir, ...start, ...bounds, ...sizes }
}

test('a keeper that is to begin many runs at once answers before it has begun them all', async () => {
  const directory = temporaryDirectory()
  const env = { PATH: process.env['PATH'] ?? '', [KEEPER_VARIABLE]: keeperMarkerOf(directory) }
  const keeper = spawn(process.execPath, [PROGRAM], { env, cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void keeper.kill('SIGKILL'))
  const heard: FromKeeper[] = []
  let begunAtAnswer: number | undefined
  const workDirs = Array.from({ length: RUNS }, (_, number) => join(directory, 'work', `e-${number}`))
  const begun = (): number => workDirs.filter((workDir) => existsSync(jobProcessFile(workDir))).length
  const messages = new Messages<FromKeeper>()
  keeper.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const message of messages.take(text)) {
      heard.push(message)
      if (message.kind !== 'here') continue
      begunAtAnswer = begun()
    }
  })
  const say = (all: readonly ToKeeper[]): void => {
    keeper.stdin.write(all.map((message) => `${JSON.stringify(message)}\n`).join(''))
  }
  const count = (kind: FromKeeper['kind']): number => heard.filter((message) => message.kind === kind).length

  say(workDirs.map((workDir, run) => ({ kind: 'launch', run: run + 1, launch: launchIn(workDir) })))
  await eventually('the first has begun', () => begun() > 0)
  say([{ kind: 'ask' }])
  await eventually('all have ended', () => count('done') === RUNS, 60_000)
  expect(begunAtAnswer).toBeLessThan(RUNS)
})

test('a keeper ends that was still looking for what a run needs when its node was gone', async () => {
  const directory = temporaryDirectory()
  const tools = join(directory, 'tools')
  mkdirSync(tools)
  // Makes pipes at once, and then so slowly that the end of a run waits for it.
  const script = `#!/bin/sh\nif mkdir ${tools}/made 2>/dev/null; then exec /usr/bin/mkfifo "$@"; fi\nexec sleep 2\n`
  writeFileSync(join(tools, 'mkfifo'), script, { mode: 0o755 })
  const env = { PATH: `${tools}:${process.env['PATH']}`, [KEEPER_VARIABLE]: keeperMarkerOf(directory) }
  const keeper = spawn(process.execPath, [PROGRAM], { env, cwd: '/', stdio: ['pipe', 'ignore', 'inherit'] })
  const over = once(keeper, 'exit')
  onTestFinished(() => void keeper.kill('SIGKILL'))
  const workDirs = Array.from({ length: 11 }, (_, number) => join(directory, 'work', `e-${number}`))
  const sleeping = { command: '/bin/sleep', args: ['1000'] }
  const say = (all: readonly ToKeeper[]): void => {
    keeper.stdin.write(all.map((message) => `${JSON.stringify(message)}\n`).join(''))
  }
  const orders = workDirs.map((workDir, index) => ({
    run: index + 1,
    launch: { ...launchIn(workDir), ...sleeping },
  }))
  const [last, ...first] = orders.toReversed()
  say(first.map((order) => ({ kind: 'launch', ...order })))
  await eventually('all have begun', () =>
    first.every(({ launch }) => existsSync(jobProcessFile(launch.workDir))),
  )
  if (last !== undefined)
    say([{ kind: 'launch', run: last.run, launch: { ...last.launch, isolation: 'pid-namespace' } }])
  keeper.stdin.end()
  expect(await within(20_000, over)).toBe(true)
})
