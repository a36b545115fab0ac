import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { preloadLibrary } from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { AttackedNode } from './attacked-node.ts'
import { checkStores } from './stores-of.ts'

const SOURCE = new URL('./shifted-clock.c', import.meta.url)
const DAY_MS = 86_400_000
/** One more than are answered at once. */
const KILLS = 3
/** Bacalhau's number of the state. */
const RUNNING = 6

/** So many looks at its clock does a node have in this time. */
const LOOKS_MS = 3_000
const ENGINE = { Type: 'noop', Params: { DurationMs: 3_600_000 } }

/** A node whose clock is off by as many milliseconds as a file says; `undefined` where none can be made. */
function nodeWithShift(
  config: Readonly<Record<string, unknown>>,
): { readonly node: AttackedNode; readonly shift: string } | undefined {
  const library = preloadLibrary(SOURCE, temporaryDirectory())
  if (library === undefined) return undefined
  const shift = join(temporaryDirectory(), 'shift')
  const environment = { LD_PRELOAD: library, SHIFTED_CLOCK: shift }
  return { node: new AttackedNode(join(temporaryDirectory(), 'repo'), [], config, environment), shift }
}

async function untilRunning(node: AttackedNode, id: string, executions: number): Promise<void> {
  const endMs = Date.now() + 30_000
  for (;;) {
    const items = (await node.job(id)).Executions?.Items ?? []
    const runs = items.some(({ ComputeState }) => ComputeState.StateType === RUNNING)
    if (runs && items.length >= executions) return
    expect(Date.now(), `execution ${executions} runs\n${node.log.slice(-2_000)}`).toBeLessThan(endMs)
    await delay(20)
  }
}

test('a job that may take an hour takes as long however the clock is set, also over a kill', async ({
  skip,
}) => {
  const made = nodeWithShift({})
  if (made === undefined) return skip('there is no gcc to build the library that shifts the clock')
  const { node, shift } = made
  await node.start()
  const id = await node.submit({
    Type: 'batch',
    Count: 1,
    Tasks: [{ Name: 'main', Engine: ENGINE, Timeouts: { TotalTimeout: 3_600 } }],
  })
  await untilRunning(node, id, 1)
  writeFileSync(shift, String(DAY_MS))
  await delay(LOOKS_MS)
  await untilRunning(node, id, 1)
  await node.kill()
  await node.start()
  await untilRunning(node, id, 2)
  rmSync(shift)
  await delay(LOOKS_MS)
  await untilRunning(node, id, 2)
  await node.kill()
  // Back by more than what is written down of the clock, while nobody is there.
  writeFileSync(shift, String(-DAY_MS))
  await node.start()
  await untilRunning(node, id, 3)
  expect((await node.job(id)).Executions?.Items).toHaveLength(3)
  await node.kill()
  await checkStores(node.repository)
}, 120_000)

test('a job that was interrupted while the clock was a day ahead runs when it is right again', async ({
  skip,
}) => {
  const interruptions = { Immediate: KILLS - 1, Backoff: '1h', MaxBackoff: '1h' }
  const made = nodeWithShift({ Recovery: { Interruptions: interruptions } })
  if (made === undefined) return skip('there is no gcc to build the library that shifts the clock')
  const { node, shift } = made
  writeFileSync(shift, String(DAY_MS))
  await node.start()
  const id = await node.submit({ Type: 'batch', Count: 1, Tasks: [{ Name: 'main', Engine: ENGINE }] })
  for (let kills = 0; kills < KILLS; kills++) {
    await untilRunning(node, id, kills + 1)
    await node.kill()
    await node.start()
  }
  // Not only to the side that runs it: the requester's time of the end is the one that counts.
  await eventually('the last interruption is known', async () => {
    const items = (await node.job(id)).Executions?.Items ?? []
    return items.every(({ ComputeState }) => ComputeState.StateType !== RUNNING)
  })
  // The last interruption is written, and the job waits for an hour of tomorrow.
  const { Executions } = await node.job(id)
  expect(Executions?.Items?.[0]?.ModifyTime).toBeGreaterThan((Date.now() + DAY_MS / 2) * 1_000_000)
  await node.kill()
  rmSync(shift)
  await node.start()
  await untilRunning(node, id, KILLS + 1)
  await node.kill()
  await checkStores(node.repository)
}, 120_000)
