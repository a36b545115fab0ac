import { COMPUTE_STATES } from '@saltcod/store-core'
import { z } from 'zod'
import { problemLine, readBySchema } from '../spec/problem.ts'
import { LINK_LIMITS } from './limits.ts'
import type {
  Acknowledgement,
  Delivery,
  DemandPoll,
  Handshake,
  Heartbeat,
  Link,
  Poll,
  Reports,
} from './link.ts'
import { LinkError } from './link-error.ts'
import { roughBytes } from './message-size.ts'

/** Where what is said lies; which version of it is said comes out at the handshake. */
export const HTTP_LINK_PATH = '/link/v1'

/** As JSON writes some of them. */
const MOST_BYTES_OF_A_CHARACTER = 6
/** Of an answer so many mistakes are told. */
const MOST_PROBLEMS = 3

const id = z.string().min(1).max(256)
const count = z.number().int().min(0)
const text = z.string().optional()
const word = z.string().max(256)
const words = z.array(z.string())
// Fields that a later release says are passed on, since they are nothing to those who do not know them.
const capacity = z.looseObject({
  cpu: z.number(),
  memoryBytes: z.number(),
  diskBytes: z.number(),
  gpu: z.number(),
})
const load = z.looseObject({
  available: capacity,
  runningExecutions: count,
  enqueuedExecutions: count,
  heldBack: count,
})
const node = z.looseObject({
  nodeId: id,
  labels: z.record(z.string(), z.string()),
  engines: words,
  missingEngines: z.record(z.string(), z.string()).optional(),
  publishers: words,
  inputSources: words,
  capacity,
  release: z.looseObject({ version: word, os: word, arch: word }).optional(),
})
const store = z.looseObject({
  storeId: z.string(),
  durable: z.boolean(),
  sequence: count,
  openings: z.array(z.looseObject({ id: z.string(), firstSequence: count })),
})
const execution = z.looseObject({ executionId: id, state: z.enum(COMPUTE_STATES), revision: count })
const report = z.looseObject({
  executionId: id,
  revision: count,
  state: z.enum(COMPUTE_STATES).optional(),
  endReason: text,
  message: text,
  patch: z.record(z.string(), z.unknown()).optional(),
  event: z.record(z.string(), z.unknown()).optional(),
})

const session = z.string().min(1).max(100).optional()

const SCHEMAS = {
  handshake: z.looseObject({
    versions: z.array(count).max(100).optional(),
    node,
    load,
    store,
    executions: z.array(execution),
  }),
  poll: z.object({ nodeId: id, session, afterSequence: count, limit: count, waitMs: count }),
  acknowledge: z.object({ nodeId: id, session, upToSequence: count }),
  report: z.object({ nodeId: id, session, reports: z.array(report) }),
  heartbeat: z.object({
    nodeId: id,
    session,
    load,
    sequence: count,
    orphans: z.object({ count, ids: z.array(id).max(1_000) }).optional(),
  }),
  demands: z.object({ nodeId: id, afterNumber: count, waitMs: count }),
} as const

// One delivery that says nothing must not keep the others: what a command lacks is found where it is obeyed.
const delivery = z.looseObject({ sequence: count, command: z.looseObject({ kind: word }) })
const taken = z.looseObject({
  version: count.optional(),
  requesterId: id.optional(),
  session,
  store,
  answers: z.record(z.string(), z.string()),
  whyStopped: z.record(z.string(), z.looseObject({ reason: text, endReason: text })).optional(),
  silentAfterMs: z.number().min(0).optional(),
})

const ANSWERS = {
  handshake: z.union([z.looseObject({ refusal: z.string() }), taken]),
  poll: z.array(delivery),
  acknowledge: z.null(),
  report: z.array(z.string()),
  heartbeat: z.looseObject({ sequence: count }),
  demands: z.array(z.looseObject({ number: count, kind: word, executionId: id })),
} as const

/** What is asked with a body and answered with one. */
export type HttpCall = keyof typeof SCHEMAS

/** Tells whether there is a call of that name. */
export function isHttpCall(name: string): name is HttpCall {
  return Object.hasOwn(SCHEMAS, name)
}

/** Returns what was answered to a call. Throws `LINK_GARBLED` where no requester answers so. */
export function readAnswer(name: HttpCall, answered: unknown): unknown {
  const read = readBySchema<unknown>(ANSWERS[name], answered)
  if ('data' in read) return read.data
  const problems = read.problems.slice(0, MOST_PROBLEMS).map(problemLine).join('; ')
  throw new LinkError('LINK_GARBLED', `to ${name} no requester answers so: ${problems}`)
}

/** Carries a call out at the requester's end. Throws `LINK_INVALID` where its request is none. */
export async function carryOut(
  endpoint: Link,
  name: HttpCall,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const read = readBySchema<unknown>(SCHEMAS[name], body)
  if ('problems' in read) throw new LinkError('LINK_INVALID', read.problems.map(problemLine).join('; '))
  const { data } = read
  switch (name) {
    case 'handshake':
      return await endpoint.handshake(data as Handshake)
    case 'poll':
      return fitting(await endpoint.poll(data as Poll, signal))
    case 'acknowledge':
      return await endpoint.acknowledge(data as Acknowledgement)
    case 'report':
      return await endpoint.report(data as Reports)
    case 'heartbeat':
      return await endpoint.heartbeat(data as Heartbeat)
    case 'demands':
      return await endpoint.demands(data as DemandPoll, signal)
  }
}

/** Returns the first commands, as many as fit into a message: the next poll asks for those behind them. */
function fitting(deliveries: readonly Delivery[]): readonly Delivery[] {
  const surely = LINK_LIMITS.messageBytes / 2 / MOST_BYTES_OF_A_CHARACTER
  if (roughBytes(deliveries, surely) <= surely) return deliveries
  let bytes = 0
  const first = deliveries.findIndex((delivery) => {
    bytes += Buffer.byteLength(toJson(delivery))
    return bytes > LINK_LIMITS.messageBytes / 2
  })
  return first < 0 ? deliveries : deliveries.slice(0, Math.max(1, first))
}

/** Writes a message as JSON. Throws where it is more than data, which JSON would leave out in silence. */
export function toJson(message: unknown): string {
  return JSON.stringify(message, (key, value: unknown) => {
    if (typeof value === 'function' || typeof value === 'symbol')
      throw new TypeError(`${key === '' ? 'the message' : key} could not be cloned: it is no data`)
    return value
  })
}
