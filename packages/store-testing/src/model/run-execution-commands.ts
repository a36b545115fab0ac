import assert from 'node:assert/strict'

import {
  COMPUTE_MACHINE,
  type ComputeExecution,
  type ComputeExecutionQuery,
  type ExecutionStore,
  LIVE_COMPUTE_STATES,
} from '@saltcod/store-core'
import type { Clock } from '@saltcod/store-core/backend'
import { assertSoundExecutionStore } from '../execution-store/execution-case.ts'
import type { StoreFixture } from '../store/fixture.ts'
import { readAll } from '../store/pages.ts'
import { SettableClock } from '../store/settable-clock.ts'
import { type CommandSeed, Draw } from './command-seed.ts'
import { CHECKPOINTS, EXECUTION_COMMANDS, type ExecutionWorld, JOB_IDS } from './execution-commands.ts'
import { ExecutionModel } from './execution-model.ts'
import { modelResult, resultOf } from './refusal.ts'

const COMMANDS_PER_COMPARISON = 25

/**
 * Carries random commands out on an execution store and on a model of one, and compares results, refusals, listings,
 * counts and, at the end, `check()`. Rejects with an error that lists the commands so far.
 */
export async function runExecutionCommands(
  open: (clock: Clock) => Promise<StoreFixture<ExecutionStore>>,
  seeds: readonly CommandSeed[],
): Promise<void> {
  const clock = new SettableClock()
  const fixture = await open(clock.read)
  const model = new ExecutionModel()
  let world: ExecutionWorld = { store: fixture.store, model }
  const trace: string[] = []
  try {
    for (const [index, seed] of seeds.entries()) {
      const draw = new Draw(seed)
      clock.step(draw.once(20, 90) ? -draw.below(30, 91) : draw.once(3, 92) ? draw.below(30, 93) : 0)
      model.nowMs = clock.read()
      if (fixture.reopen !== undefined && draw.once(80, 94)) {
        trace.push('reopen')
        await world.store.close()
        world = { ...world, store: await fixture.reopen() }
      } else await runCommand(world, seed, trace)
      if (index % COMMANDS_PER_COMPARISON === 0) await compare(world)
    }
    await compare(world)
    await assertSoundExecutionStore(world.store)
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

async function runCommand(world: ExecutionWorld, seed: CommandSeed, trace: string[]): Promise<void> {
  const make = EXECUTION_COMMANDS[seed[0] % EXECUTION_COMMANDS.length]
  if (make === undefined) return
  const command = make(world, new Draw(seed))
  trace.push(`${world.model.nowMs} ${command.name}`)
  assert.deepEqual(await resultOf(command.onStore), modelResult(command.onModel), command.name)
}

async function compare({ store, model }: ExecutionWorld): Promise<void> {
  const bySince = (execution: ComputeExecution) => execution.stateSinceMs
  const live = ({ state }: ComputeExecution) => LIVE_COMPUTE_STATES.has(state)
  const inProgress = ({ state }: ComputeExecution) => !COMPUTE_MACHINE.terminal.has(state)
  const cases: readonly (readonly [ComputeExecutionQuery, (execution: ComputeExecution) => boolean])[] = [
    [{}, () => true],
    [{ live: true }, live],
    [{ inProgress: true }, inProgress],
    [{ states: ['Failed'] }, ({ state }) => state === 'Failed'],
    ...JOB_IDS.map((jobId) => [{ jobId }, ({ job }: ComputeExecution) => job.id === jobId] as const),
  ]
  for (const [query, matches] of cases) {
    const order = query.jobId === undefined ? bySince : (execution: ComputeExecution) => execution.createdAtMs
    const expected = [...model.executions.values()]
      .filter(matches)
      .sort((a, b) => order(a) - order(b) || (a.id < b.id ? -1 : 1))
    const found = await readAll((request) => store.listExecutions({ ...query, ...request }), { limit: 3 })
    assert.deepEqual(found, expected, `listExecutions ${JSON.stringify(query)}`)
  }
  for (const [executionId, entries] of model.history) {
    const found = await readAll((request) => store.listHistory({ executionId, ...request }), { limit: 500 })
    assert.deepEqual(
      found.map((entry) => [
        entry.executionId,
        entry.previousState,
        entry.newState,
        entry.revision,
        entry.event.message,
      ]),
      entries,
      `history of ${executionId}`,
    )
  }
  for (const name of CHECKPOINTS)
    assert.equal(await store.getCheckpoint(name), model.checkpoints.get(name) ?? 0)
  const deadlines = [...model.executions.values()].flatMap(({ deadlineAtMs }) => deadlineAtMs ?? [])
  assert.equal(await store.nextDeadlineMs(), deadlines.length === 0 ? null : Math.min(...deadlines))
  const due = deadlines.filter((dueAtMs) => dueAtMs <= model.nowMs).sort((a, b) => a - b)
  assert.deepEqual(
    (await store.dueDeadlines()).map(({ dueAtMs }) => dueAtMs),
    due,
  )
}
