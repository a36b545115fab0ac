import { existsSync } from 'node:fs'
import { COMPUTE_MACHINE, type ComputeExecution, type ExecutionStore, StoreError } from '@saltcod/store-core'
import type { LogDemand, LogPart, LogPosition } from '../link/link.ts'
import { pause } from '../waiting/pause.ts'
import { droppedIn } from './ended-text.ts'
import { readExitRecord } from './keeper/exit-record.ts'
import { DROPPED_NOTICE, followLog } from './keeper/log-follow.ts'
import { exitFile, type LogStream } from './keeper/work-files.ts'
import { workDirOf } from './layout.ts'

const LOOK_MS = 500
const LOOK_FOR_BEGINNING_MS = 50

/**
 * Yields the output of an execution in a store whose runs write below a data directory; ends without an error when the
 * signal aborts. Throws `EXECUTION_NOT_FOUND`.
 */
export async function* readLog(
  { store, dataDir }: { readonly store: ExecutionStore; readonly dataDir: string },
  { executionId, follow, tail, from }: LogDemand,
  signal: AbortSignal,
): AsyncGenerator<LogPart, void, undefined> {
  const workDir = workDirOf(dataDir, executionId)
  let { attempt } = await (follow ? begun(store, executionId, signal) : found(store, executionId))
  // Of a record that is gone there is no further attempt.
  const attemptNow = async (): Promise<number> => (await store.getExecution(executionId))?.attempt ?? attempt
  let position: LogPosition = from ?? { attempt, stdout: 0, stderr: 0 }
  let place = { tail: tail && (from === null || from.attempt === 0), from: placeIn(from, attempt) }
  for (;;) {
    const watch = follow ? watchRun(store, executionId, attempt, workDir, signal) : undefined
    const stop = watch === undefined ? signal : AbortSignal.any([signal, watch.signal])
    try {
      for await (const { offsets, ...part } of followLog(workDir, { ...place, follow, signal: stop })) {
        // An attempt is on record before it writes, so what is read while the same one still is is of that.
        if (follow && (await attemptNow()) !== attempt) break
        position = { attempt, ...offsets }
        yield { ...part, position }
      }
    } finally {
      watch?.stopLooking()
    }
    const next = follow ? await attemptAfter(store, executionId, attempt, signal) : undefined
    if (next === undefined) break
    attempt = next
    place = { tail: false, from: undefined }
  }
  for (const stream of await droppedUnrecorded(store, executionId, workDir))
    yield { stream, text: DROPPED_NOTICE, position }
}

/**
 * Returns the streams of an ended execution of which something was dropped without a word in its work directory: a
 * full disk takes no exit record either.
 */
async function droppedUnrecorded(
  store: ExecutionStore,
  executionId: string,
  workDir: string,
): Promise<readonly LogStream[]> {
  const execution = await store.getExecution(executionId)
  if (execution === null || !COMPUTE_MACHINE.terminal.has(execution.state)) return []
  return readExitRecord(workDir) === undefined ? droppedIn(execution.runOutput) : []
}

async function found(store: ExecutionStore, executionId: string): Promise<ComputeExecution> {
  const execution = await store.getExecution(executionId)
  if (execution !== null) return execution
  throw new StoreError('EXECUTION_NOT_FOUND', `this node has no execution ${executionId}`, {
    id: executionId,
    hint: 'its record may have been removed after its job ended',
  })
}

/** Resolves with an execution when its first attempt has begun, or it has ended without one. */
async function begun(
  store: ExecutionStore,
  executionId: string,
  signal: AbortSignal,
): Promise<ComputeExecution> {
  for (;;) {
    const execution = await found(store, executionId)
    if (execution.attempt > 0 || COMPUTE_MACHINE.terminal.has(execution.state) || signal.aborted)
      return execution
    await pause(LOOK_FOR_BEGINNING_MS, signal)
  }
}

/**
 * Resolves with the attempt that follows one whose log is over; `undefined` where none does. A run that ended with its
 * node is on record as running until the next start has decided about it.
 */
async function attemptAfter(
  store: ExecutionStore,
  executionId: string,
  attempt: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  while (!signal.aborted) {
    const execution = await store.getExecution(executionId)
    if (execution === null) return undefined
    if (execution.attempt !== attempt) return execution.attempt
    if (execution.state !== 'Running' && execution.state !== 'BidAccepted') return undefined
    await pause(LOOK_FOR_BEGINNING_MS, signal)
  }
  return undefined
}

/** Each attempt writes its log anew. */
function placeIn(from: LogPosition | null, attempt: number): LogPosition | undefined {
  return from?.attempt === attempt ? from : undefined
}

/** Aborts when the log of an attempt is over without an exit record, which alone would end the following of it. */
function watchRun(
  store: ExecutionStore,
  executionId: string,
  attempt: number,
  workDir: string,
  signal: AbortSignal,
): { readonly signal: AbortSignal; readonly stopLooking: () => void } {
  const over = new AbortController()
  const looking = new AbortController()
  const until = AbortSignal.any([signal, looking.signal])
  const look = async (): Promise<void> => {
    while (!until.aborted) {
      const execution = await store.getExecution(executionId)
      if (execution === null || execution.attempt !== attempt) return over.abort()
      if (COMPUTE_MACHINE.terminal.has(execution.state) && !existsSync(exitFile(workDir))) return over.abort()
      await pause(LOOK_MS, until)
    }
  }
  // A store that cannot be read any more has nothing to follow.
  look().catch(() => over.abort())
  return { signal: over.signal, stopLooking: () => looking.abort() }
}
