import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { testSeed } from '../../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { isAlive, killLeftover } from '../../../src/compute/keeper/leftover.ts'
import { childrenOf, readName } from '../../../src/compute/keeper/process-table.ts'
import type { RunningProcess } from '../../../src/compute/keeper/running-process.ts'
import { processesWith } from '../work-bench.ts'

const program = fileURLToPath(new URL('./node-that-dies.mjs', import.meta.url))
const ROUNDS = Number(process.env['SALTCOD_DEATHS'] ?? 6)
const MODES = ['pid-namespace', 'pid-namespace', 'cgroup', 'none'] as const
const seed = testSeed()

/** A small generator of numbers from 0 to 1, so that a failed run can be repeated. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

test(`whenever a node is killed, nothing of its job is left (seed ${seed})`, async () => {
  const random = randomFrom(seed)
  const directory = temporaryDirectory()
  for (let round = 0; round < ROUNDS; round += 1) {
    const mark = String(2_000_000_000 + process.pid * 1_000 + round)
    const executionId = `e-random-${mark}`
    const workDir = join(directory, executionId)
    const script = `while :; do sleep ${mark} & setsid sleep ${mark} & (setsid sh -c "sleep ${mark} & sleep ${mark}" &); sleep 0.03; done`
    const node = spawn(process.execPath, [program, workDir, executionId, script], {
      env: { ...process.env, ISOLATION: MODES[Math.floor(random() * MODES.length)] },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const lines = once(node.stdout, 'data')
    const [line] = (await lines) as [Buffer]
    const keeper = JSON.parse(line.toString()) as RunningProcess
    node.stdin.write('go\n')
    await delay(random() * 150)
    const gone = once(node, 'exit')
    // What starts programs dies now and then, a moment before the node.
    const launcher = childrenOf(keeper.pid).find((pid) => random() < 0.5 && readName(pid) === 'perl')
    if (launcher !== undefined) process.kill(launcher, 'SIGKILL')
    if (random() < 0.5) await delay(random() * 5)
    node.kill('SIGKILL')
    // In every third round the keeper dies with it, and recovery has to do its work.
    if (round % 3 === 2) process.kill(keeper.pid, 'SIGKILL')
    await gone
    if (round % 3 !== 2) await eventually('the keeper is gone', () => !isAlive(keeper))
    await killLeftover({ process: keeper, executionId, workDir })
    expect(processesWith(mark), `round ${round}, seed ${seed}`).toEqual([])
  }
})
