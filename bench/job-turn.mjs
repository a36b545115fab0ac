import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { median } from './rounds.mjs'

/**
 * A module whose entrypoint does nothing: `(module (memory (export "memory") 1) (func (export "_start")))`, with the
 * section of names that Bacalhau wants.
 */
const NOTHING = Buffer.from(
  '0061736d01000000010401600000030201000503010001071302066d656d6f7279020006' +
    '5f737461727400000a040102000b000b046e616d65010401000161',
  'hex',
)
const ENGINES = {
  noop: { Engine: { Type: 'noop', Params: {} } },
  wasm: {
    Engine: { Type: 'wasm', Params: { EntryModule: '/m.wasm', Entrypoint: '_start' } },
    InputSources: [
      {
        Source: {
          Type: 'inline',
          Params: { URL: `data:application/wasm;base64,${NOTHING.toString('base64')}` },
        },
        Target: '/m.wasm',
      },
    ],
  },
  exec: { Engine: { Type: 'exec', Params: { Command: 'true' } } },
}
/** Asks for little, so that many run at a time. */
const RESOURCES = { CPU: '0.01', Memory: '1mb' }
const TICKS_PER_SECOND = 100
const FIRST_GUESS_MS = 20

/**
 * Has so many callers run jobs of an engine on a node for a time; what has begun by then is waited for and counted.
 */
export async function turn(node, type, connections, milliseconds) {
  const cpuBefore = processorMs(node.pids)
  const beganMs = performance.now()
  const jobs = []
  const usual = { ms: FIRST_GUESS_MS }
  const caller = async () => {
    while (performance.now() - beganMs < milliseconds) {
      jobs.push(await oneJob(node, type, usual))
    }
  }
  await Promise.all(Array.from({ length: connections }, caller))
  const seconds = (performance.now() - beganMs) / 1_000
  const [times, submits] = [jobs.map(({ ms }) => ms), jobs.map(({ submitMs }) => submitMs)]
  return {
    perSecond: jobs.length / seconds,
    medianMs: median(times),
    worstMs: worstOf(times),
    submitMs: median(submits),
    worstSubmitMs: worstOf(submits),
    cpuMs: (processorMs(node.pids) - cpuBefore) / jobs.length,
  }
}

/** Returns the 99th percentile of some times. */
export function worstOf(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0
}

/**
 * Resolves with how long a job took, as the clock of the machine says, and the answer to its submission. What is asked
 * while it is not over costs the node as much as a part of a job, so it is first asked for when it should be.
 */
async function oneJob(node, type, usual) {
  const Tasks = [{ Name: 'main', Resources: RESOURCES, ...ENGINES[type] }]
  const job = { Name: `j-${Math.random().toString(36).slice(2)}`, Type: 'batch', Count: 1, Tasks }
  const startMs = performance.timeOrigin + performance.now()
  const { JobID } = await node.call('PUT', '/api/v1/orchestrator/jobs', { Job: job })
  const submitMs = performance.timeOrigin + performance.now() - startMs
  await delay(Math.max(0, usual.ms * 1.1 - submitMs))
  for (;;) {
    const { Job } = await node.call('GET', `/api/v1/orchestrator/jobs/${JobID}`)
    const state = Job.State.StateType
    if (state === 'Completed') {
      const ms = Job.ModifyTime / 1e6 - startMs
      usual.ms += (ms - usual.ms) / 20
      return { ms, submitMs }
    }
    if (state === 'Failed' || state === 'Stopped') throw new Error(`a job of ${type} ended as ${state}`)
    await delay(Math.max(2, usual.ms / 6))
  }
}

/** The processor time of some processes with all that it waited for, and the same of all below it. */
function processorMs(pids) {
  let ticks = 0
  const queue = [...pids]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    try {
      const text = readFileSync(`/proc/${next}/stat`, 'latin1')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      for (const field of [11, 12, 13, 14]) ticks += Number(fields[field])
      queue.push(
        ...readFileSync(`/proc/${next}/task/${next}/children`, 'latin1')
          .split(' ')
          .filter(Boolean)
          .map(Number),
      )
    } catch {
      // Ended meanwhile; whoever started it counts it.
    }
  }
  return (ticks * 1_000) / TICKS_PER_SECOND
}
