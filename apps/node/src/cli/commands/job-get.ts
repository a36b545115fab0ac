import { join, resolve } from 'node:path'
import type { WireJob, WireSpecConfig } from '@saltcod/bacalhau-records'
import {
  bytesText,
  countOf,
  Failure,
  isFailure,
  Progress,
  printable,
  shortId,
  type Terminal,
} from '@saltcod/cli-kit'
import type { ApiClient } from '../../client/api-client.ts'
import { isResultAddress } from '../../client/result-stream.ts'
import { EXIT } from '../../exit-code.ts'
import { systemCode } from '../../system-code.ts'
import { reasonOfPlace } from '../../unusable-place.ts'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { type NodeWait, type NodeWaitOptions, type WaitedFor, waiting } from '../node-wait.ts'
import { ResultPlace } from '../result-place.ts'

/** Options of `job get`. */
export interface JobGetOptions extends JobFlags, NodeWaitOptions {
  readonly outputDir?: string
}

/** Brings the results of a job from its nodes, and goes on where an earlier try of the same was broken off. */
export async function jobGet(terminal: Terminal, id: string, options: JobGetOptions): Promise<void> {
  const client = clientFor(terminal, options)
  await waiting(terminal, wordsFor(id), options, async (wait) => {
    const { Job } = await wait.call(() => client.getJob(id, { namespace: options.namespace }))
    const executionIds = await resultsOf(client, Job, wait)
    const target = resolve(options.outputDir ?? `job-${shortId(Job.ID, false)}`)
    const several = executionIds.length > 1
    let [files, bytes] = [0, 0]
    for (const executionId of executionIds) {
      const directory = several ? join(target, shortId(executionId, false)) : target
      const got = await bring(terminal, client, Job.ID, executionId, directory, wait).catch(
        (error: unknown) => {
          throw ofDisk(error, directory)
        },
      )
      files += got.files
      bytes += got.bytes
    }
    const whose = several ? ` of ${executionIds.length} executions` : ''
    terminal.out(
      `${countOf(files, 'file')}${whose}, ${bytesText(bytes)}, checked and in ${printable(target)}\n`,
    )
  })
}

function wordsFor(id: string): WaitedFor {
  const again = `run the same command again, and it goes on where it was: saltcod job get ${id}`
  return {
    isMet: false,
    onReturn: 'the download goes on when it is back',
    goesOn: 'what has come of the results is kept',
    afterInterrupt: again,
    afterLoss: again,
  }
}

/** Returns the executions of a job that have results on a node. Throws a `Failure` where there are none. */
async function resultsOf(client: ApiClient, job: WireJob, wait: NodeWait): Promise<readonly string[]> {
  const { Items } = await wait.call(() => client.listResults(job.ID))
  const ids = Items.flatMap((item) =>
    addressOf(item) === null ? [] : [String(item.Params?.['ExecutionID'])],
  )
  if (ids.length > 0) return ids
  const { StateType } = job.State
  const elsewhere = Items.map(({ Type }) => Type).join(', ')
  if (elsewhere !== '')
    throw new Failure(EXIT.failed, `the results of job ${job.ID} are no node's to give: ${elsewhere}`)
  const ended = ['Completed', 'Failed', 'Stopped'].includes(StateType)
  throw new Failure(EXIT.failed, `job ${job.ID} has no results: it is ${StateType}`, {
    hint: ended
      ? 'a job publishes results where an execution of it completed and its task names a publisher or result paths'
      : 'results are there when it has completed',
  })
}

function addressOf({ Params }: WireSpecConfig): string | null {
  const url = Params?.['URL']
  return typeof url === 'string' && isResultAddress(url) ? url : null
}

async function bring(
  terminal: Terminal,
  client: ApiClient,
  jobId: string,
  executionId: string,
  directory: string,
  wait: NodeWait,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const place = new ResultPlace(directory, executionId)
  await place.open()
  const progress = new Progress(terminal, () => performance.now())
  try {
    for (;;) {
      const begun = await place.received()
      if (begun !== null && begun.from === begun.bytes) break
      await wait.call(() => fetchMore(client, jobId, executionId, place, progress, wait.signal))
    }
  } finally {
    progress.end()
  }
  return await place.finish()
}

/** Fetches what is missing until the node is lost; one that is lost after it had sent something is asked at once. */
async function fetchMore(
  client: ApiClient,
  jobId: string,
  executionId: string,
  place: ResultPlace,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  // An address ends after some time; who asks again gets another one.
  const { Items } = await client.listResults(jobId)
  const item = Items.find(({ Params }) => Params?.['ExecutionID'] === executionId)
  const address = item === undefined ? null : addressOf(item)
  if (address === null) throw new Failure(EXIT.failed, `execution ${executionId} has no results any more`)
  const stream = await client.openResults(address, await place.received(), signal)
  if (!Number.isSafeInteger(stream.bytes) || stream.tag === '')
    throw new Failure(EXIT.failed, 'the node does not say how long the results are, or which they are')
  let moved = false
  try {
    await place.receive(stream, (done) => {
      moved = true
      progress.show(`results of ${shortId(executionId, false)}, bytes`, done, stream.bytes)
    })
  } catch (error) {
    if (!moved || signal.aborted || !isFailure(error) || error.exitCode !== EXIT.unreachable) throw error
  }
}

/** Says what the disk did not take; what is there already is kept. */
function ofDisk(error: unknown, directory: string): unknown {
  const code = systemCode(error) ?? ''
  if (isFailure(error) || !/^E[A-Z]+$/.test(code)) return error
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  return new Failure(
    EXIT.failed,
    `the results cannot be written to ${directory}: ${isFull ? 'the disk is full' : (reasonOfPlace(code) ?? code)}`,
    {
      hint: isFull
        ? 'free some space and run the same command again: it goes on where it was'
        : 'see to the directory, or name another one with --output-dir',
      cause: error,
    },
  )
}
