import assert from 'node:assert/strict'

import type { JobStore } from '@saltcod/store-core'
import type { Clock } from '@saltcod/store-core/backend'
import { assertSoundJobStore } from '../job-store/job-case.ts'
import type { StoreFixture } from '../store/fixture.ts'
import { SettableClock } from '../store/settable-clock.ts'
import { type CommandSeed, Draw } from './command-seed.ts'
import { JOB_COMMANDS, type JobWorld } from './job-commands.ts'
import { compareJobWorld } from './job-comparison.ts'
import { JobModel } from './job-model.ts'
import { NODE_COMMANDS } from './node-commands.ts'
import { modelResult, resultOf } from './refusal.ts'

const COMMANDS = [...JOB_COMMANDS, ...NODE_COMMANDS]
const COMMANDS_PER_COMPARISON = 25
const CLOCK_JUMPS_MS = [-86_400_000, -5_000, 5_000, 86_400_000] as const

/**
 * Carries random commands out on a job store and on a model of one, and compares results, refusals, listings, counts
 * and, at the end, `check()`. Any numbers are commands, so a property-testing library can make and shrink them.
 * Rejects with an `AssertionError` that lists the commands so far.
 */
export async function runJobCommands(
  open: (clock: Clock, steadyClock: Clock) => Promise<StoreFixture<JobStore>>,
  seeds: readonly CommandSeed[],
): Promise<void> {
  const clock = new SettableClock()
  const fixture = await open(clock.read, clock.passed)
  const model = new JobModel()
  let world: JobWorld = { store: fixture.store, model, leases: [] }
  const trace: string[] = []
  try {
    for (const [index, seed] of seeds.entries()) {
      const draw = new Draw(seed)
      clock.step(draw.once(20, 90) ? -draw.below(30, 91) : draw.once(3, 92) ? draw.below(30, 93) : 0)
      if (draw.once(60, 95)) {
        const byMs = draw.pick(CLOCK_JUMPS_MS, 96)
        trace.push(`the clock jumps by ${byMs}`)
        // The store looks at its clock, so that it can tell the jump from the small steps around it.
        await world.store.nextEvaluationMs()
        clock.jump(byMs)
        await world.store.nextEvaluationMs()
        model.followClock(byMs)
      }
      model.nowMs = clock.read()
      if (fixture.reopen !== undefined && draw.once(80, 94)) {
        trace.push('reopen')
        await world.store.close()
        world = { ...world, store: await fixture.reopen() }
        model.evaluations.voidLeases()
      } else await runCommand(world, seed, trace)
      if (index % COMMANDS_PER_COMPARISON === 0) await compareJobWorld(world)
    }
    await compareJobWorld(world)
    await assertSoundJobStore(world.store)
  } catch (error) {
    const { message } = error as Error
    throw new Error(`${message}\nafter ${trace.length} commands:\n${trace.slice(-30).join('\n')}`, {
      cause: error,
    })
  } finally {
    await world.store.close()
    await fixture.dispose()
  }
}

async function runCommand(world: JobWorld, seed: CommandSeed, trace: string[]): Promise<void> {
  const make = COMMANDS[seed[0] % COMMANDS.length]
  if (make === undefined) return
  const command = make(world, new Draw(seed))
  trace.push(`${world.model.nowMs} ${command.name}`)
  const actual = await resultOf(command.onStore)
  const fromStore = 'result' in actual ? actual.result : null
  const expected = modelResult(() => world.model.change(() => command.onModel(fromStore)))
  assert.deepEqual(actual, expected, command.name)
}
