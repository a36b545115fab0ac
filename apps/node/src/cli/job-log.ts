import type { WireExecution } from '@saltcod/bacalhau-records'
import { isFailure, printableOutput, shortId, type Terminal } from '@saltcod/cli-kit'
import type { ApiClient } from '../client/api-client.ts'
import type { LogRequest, ReceivedPart } from '../client/log-stream.ts'
import { EXIT } from '../exit-code.ts'
import { tellShares } from './job-shares.ts'
import type { NodeWait } from './node-wait.ts'
import { isDiscarded } from './words.ts'

const ENDED = new Set(['Completed', 'Failed', 'Stopped'])
const PAUSE_MS = 250

/** What came of a log that was read. */
export interface PrintedLog {
  readonly isSilent: boolean
  /** Whose it is, as far as the node said. */
  readonly executionId: string | undefined
}

/**
 * Prints what a job has written so far: its standard output to ours, its standard error to ours. Ends early where
 * nobody reads it.
 */
export async function printLog(terminal: Terminal, parts: AsyncIterable<ReceivedPart>): Promise<PrintedLog> {
  let isSilent = true
  let executionId: string | undefined
  for await (const part of parts) {
    isSilent &&= part.text === ''
    executionId = part.executionId ?? executionId
    if (!print(terminal, part)) break
  }
  return { isSilent, executionId }
}

/**
 * Prints what a job writes, to its end: where the node is lost it is waited for and read on from the same place, and
 * where the job is carried on by another execution, that one is read. Ends early where nobody reads it.
 */
export async function followLog(
  terminal: Terminal,
  client: ApiClient,
  jobId: string,
  request: Pick<LogRequest, 'tail' | 'executionId' | 'version'>,
  wait: NodeWait,
): Promise<void> {
  const read = new Set<string>()
  let executionId = request.executionId
  for (;;) {
    const followed = await followExecution(terminal, client, jobId, { ...request, executionId }, wait)
    const isTheOne = request.executionId !== undefined || request.version !== undefined
    if (followed === null || isTheOne) return
    if (followed !== undefined) read.add(followed)
    const next = await nextExecution(client, jobId, read, wait)
    if (next === null) {
      if (followed !== undefined) await wait.call(() => tellShares(terminal, client, jobId, followed))
      return
    }
    terminal.err(`Note: the job is carried on by execution ${shortId(next, false)}\n`)
    executionId = next
  }
}

/**
 * Returns the execution that was read to its end, `undefined` where that is not known, `null` where nobody reads any
 * more.
 */
async function followExecution(
  terminal: Terminal,
  client: ApiClient,
  jobId: string,
  request: Pick<LogRequest, 'tail' | 'executionId' | 'version'>,
  wait: NodeWait,
): Promise<string | null | undefined> {
  let from = ''
  const { version } = request
  let executionId = request.executionId
  for (;;) {
    const tail = request.tail && from === ''
    try {
      const parts = client.readLog(jobId, {
        follow: true,
        tail,
        executionId,
        from,
        version,
        signal: wait.signal,
      })
      for await (const part of parts) {
        from = part.next ?? from
        executionId = part.executionId ?? executionId
        if (!print(terminal, part)) return null
      }
      wait.refuseInterrupted()
      return executionId
    } catch (error) {
      if (!isFailure(error) || error.exitCode !== EXIT.unreachable) throw error
      await wait.pause(PAUSE_MS)
      await wait.call(() => client.getJob(jobId))
    }
  }
}

/**
 * Waits until a job that has not ended has an execution that was not read yet. Returns `null` where the job has ended.
 */
async function nextExecution(
  client: ApiClient,
  jobId: string,
  read: ReadonlySet<string>,
  wait: NodeWait,
): Promise<string | null> {
  for (;;) {
    const { Job, Executions } = await wait.call(() => client.getJob(jobId, { include: 'executions' }))
    const isNew = (execution: WireExecution): boolean => !read.has(execution.ID) && !isDiscarded(execution)
    const next = Executions?.Items.findLast(isNew)
    // Where there are several shares at a time, one of them is read.
    if (next !== undefined && read.size > 0 && Job.Count === 1) return next.ID
    if (ENDED.has(Job.State.StateType) || Job.Count !== 1) return null
    await wait.pause(PAUSE_MS)
  }
}

/** As it is into a file, and escaped on a terminal. Returns whether anybody reads it. */
function print(terminal: Terminal, { stream, text }: ReceivedPart): boolean {
  const isTerminal = stream === 'stderr' ? terminal.errorIsTerminal : terminal.outputIsTerminal
  const shown = isTerminal ? printableOutput(text) : text
  if (stream === 'stdout') return terminal.out(shown)
  terminal.err(shown)
  return true
}
