import type { Execution } from '@saltcod/store-core'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import type { Delivery, HandshakeExecution, LinkedStore, Report, ReportAnswer } from '../../src/link/link.ts'
import type { Requester } from '../../src/requester/requester.ts'
import { startRequester } from '../../src/requester/requester.ts'
import type { RequesterSettings } from '../../src/requester/settings.ts'
import { DEFAULT_REQUESTER_SETTINGS } from '../../src/requester/settings.ts'
import { makeNode, makeSpec } from './scheduler/world.ts'

/** A job store as a requester has it. */
export type Store = Requester['context']['store']

/**
 * A requester on a memory store, whose nodes are played by the test; a clock may tell both the time and how much of it
 * has passed.
 */
export function start(
  store: Store,
  settings: Partial<RequesterSettings> = {},
  clock?: () => number,
  steadyClock = clock,
): Requester {
  const requester = startRequester({
    store,
    nodeId: 'n-requester',
    settings: { ...DEFAULT_REQUESTER_SETTINGS, ...settings },
    log: pino({ level: 'silent' }),
    ...(clock === undefined ? {} : { clock }),
    ...(steadyClock === undefined ? {} : { steadyClock }),
  })
  onTestFinished(() => requester.stop())
  return requester
}

const LOOK_EVERY_MS = 5_000

/** Lets time pass, a little more than is said, while a requester looks at its nodes as it always does. */
export function passTime({ context }: Requester, ms: number, goOn: (stepMs: number) => void): void {
  for (let passedMs = 0; passedMs <= ms; passedMs += LOOK_EVERY_MS) {
    goOn(LOOK_EVERY_MS)
    context.nodes.list()
  }
}

/** Has a node shake hands. */
export function greet(
  { link }: Requester,
  nodeId: string,
  executions: readonly HandshakeExecution[] = [],
  more: Partial<LinkedStore> = {},
): ReturnType<typeof link.handshake> {
  const { description, load } = makeNode(nodeId)
  const store = { storeId: `store of ${nodeId}`, durable: true, sequence: 0, openings: [], ...more }
  return link.handshake({ node: description, load, store, executions })
}

/** Waits for commands of a node. */
export async function nextCommands(
  { link }: Requester,
  nodeId: string,
  afterSequence = 0,
): Promise<readonly Delivery[]> {
  const signal = AbortSignal.timeout(20_000)
  for (;;) {
    const deliveries = await link.poll({ nodeId, afterSequence, limit: 100, waitMs: 1000 }, signal)
    if (deliveries.length > 0) return deliveries
    signal.throwIfAborted()
  }
}

/** Has a node report. */
export const report = (
  requester: Requester,
  nodeId: string,
  ...reports: readonly Report[]
): Promise<readonly ReportAnswer[]> => requester.link.report({ nodeId, reports })

/** Submits a job that does nothing, and returns its id. */
export function submit(store: Store, type: 'batch' | 'ops' = 'batch'): Promise<string> {
  return store
    .submitJob({ type, count: type === 'batch' ? 1 : 0, spec: makeSpec() })
    .then(({ job }) => job.id)
}

/** Waits for the first execution of a job. */
export async function onlyExecution(store: Store, jobId: string): Promise<Execution> {
  return eventually('it happens in time', async () => (await store.listExecutions({ jobId })).items[0])
}

/** Returns the state of a job; empty where there is none. */
export const stateOf = async (store: Store, jobId: string): Promise<string> =>
  (await store.getJob(jobId))?.state ?? ''
