import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireNodeState } from '@saltcod/bacalhau-records'
import { preloadLibrary } from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { NewTokenAnswer } from '../../src/access/token-answer.ts'
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
  flags: readonly string[] = [],
): { readonly node: AttackedNode; readonly shift: string } | undefined {
  const library = preloadLibrary(SOURCE, temporaryDirectory())
  if (library === undefined) return undefined
  const shift = join(temporaryDirectory(), 'shift')
  const environment = { LD_PRELOAD: library, SHIFTED_CLOCK: shift }
  return { node: new AttackedNode(join(temporaryDirectory(), 'repo'), flags, config, environment), shift }
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

test('a node whose clock is behind the certificate of its requester says so, and joins when it is right', async ({
  skip,
}) => {
  const guard = ['--node-type', 'requester', '--tls', 'auto', '--require-tokens']
  const requester = new AttackedNode(join(temporaryDirectory(), 'requester'), guard)
  await requester.start()
  const token = join(temporaryDirectory(), 'join.token')
  const answer = await requester.request('POST', 'saltcod/tokens', { Role: 'node' })
  writeFileSync(token, ((await answer.json()) as NewTokenAnswer).Token, { mode: 0o600 })
  const joining = ['--orchestrators', await requester.url(), '--join-token', token]
  const made = nodeWithShift({}, ['--node-type', 'compute', ...joining])
  if (made === undefined) return skip('there is no gcc to build the library that shifts the clock')
  const { node, shift } = made
  writeFileSync(shift, String(-2 * DAY_MS))
  await node.start()
  await eventually('it says what is wrong', () => node.log.includes('its certificate is not good yet'))
  expect(node.log).toMatch(/compare the clocks of both machines/)
  rmSync(shift)
  const isConnected = async (): Promise<boolean> => {
    const listed = await requester.request('GET', 'orchestrator/nodes')
    const { Nodes } = (await listed.json()) as { readonly Nodes: readonly WireNodeState[] }
    return Nodes.some(({ Connection }) => Connection === 'CONNECTED')
  }
  await eventually('it has joined', isConnected, 30_000)
  // What was made while the clock was right does not lose by a clock that is wrong again.
  writeFileSync(shift, String(100 * DAY_MS))
  await delay(LOOKS_MS)
  expect(await isConnected(), node.log.slice(-2_000)).toBe(true)
}, 120_000)
