import type { JobSpec } from '@saltcod/bacalhau-records'
import { Failure, isFailure } from '@saltcod/cli-kit'
import { type ExecutionStore, isStoreError, type JobStore } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Access } from '../access/open-access.ts'
import type { CompactedStore, Compaction } from '../compaction/compaction.ts'
import type { ComputeNode } from '../compute/compute-node.ts'
import { EXIT } from '../exit-code.ts'
import type { Requester } from '../requester/requester.ts'
import type { ExecutionUpkeep } from '../retention/execution-upkeep.ts'
import type { Retention } from '../retention/retention.ts'

/** Parts that were started, to be ended in the opposite order. */
export interface Parts {
  jobs?: JobStore<JobSpec>
  executions?: ExecutionStore
  requester?: Requester
  api?: FastifyInstance
  access?: Access
  link?: { close(): void }
  tls?: { close(): void }
  compute?: ComputeNode
  /** The start of a compute side whose requester may not be there yet; never rejects. */
  joining?: { readonly done: Promise<void>; giveUp(): void }
  retention?: Retention
  upkeep?: ExecutionUpkeep
  compaction?: Compaction
  /** Has the repository remember how far the stores have come. */
  remember?: () => Promise<void>
  /** Has the node end, for a reason; the first counts. */
  readonly fail: (cause: unknown) => void
  /** Resolves with the first thing that makes the node end, also while it is still starting. */
  readonly failed: Promise<Failure>
  draining: boolean
}

/** Returns the parts of a node that has none yet. */
export function noParts(): Parts {
  let fail: (cause: unknown) => void = () => undefined
  const broken = new Promise<unknown>((resolve) => {
    fail = resolve
  })
  return { fail, failed: broken.then(failureOf), draining: false }
}

/** Takes a store among the parts, whose failure the node does not outlive. */
export function keepStore<Name extends 'jobs' | 'executions'>(
  parts: Parts,
  name: Name,
  store: NonNullable<Parts[Name]>,
): NonNullable<Parts[Name]> {
  parts[name] = store
  const what = name === 'jobs' ? 'job store' : 'execution store'
  void store.failed.then((failure) => parts.fail(unusable(what, failure, failure.cause)))
  return store
}

/** Takes a compute side among the parts, likewise. */
export function keepCompute(parts: Parts, compute: ComputeNode): void {
  parts.compute = compute
  void compute.failed.then((cause) => parts.fail(cause))
}

function failureOf(cause: unknown): Failure {
  if (isFailure(cause)) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  return new Failure(EXIT.storeFailed, `the compute side has stopped: ${message}`, {
    hint: 'start the node again',
    cause,
  })
}

/** Returns the stores that may be rewritten. */
export function storesOf({ jobs, executions }: Parts): CompactedStore[] {
  return [
    ...(jobs === undefined ? [] : [{ name: 'jobs' as const, store: jobs }]),
    ...(executions === undefined ? [] : [{ name: 'executions' as const, store: executions }]),
  ]
}

/** Says that a part of a node cannot go on. */
export function unusable(what: string, { message }: { readonly message: string }, cause: unknown): Failure {
  return new Failure(EXIT.storeFailed, `the ${what} has become unusable: ${message}`, {
    hint: isStoreError(cause, 'STORE_DAMAGED')
      ? 'see to the disk; the next start refuses the file and says what can be done'
      : 'see to the disk, then start the node again; nothing that was acknowledged is lost',
    cause,
  })
}

/** Ends the parts of a node; what runs may finish for at most `graceMs`. */
export async function stopParts(parts: Parts, graceMs: number, log: Logger): Promise<void> {
  parts.draining = true
  // The requester goes on until the compute side has reported its last.
  const steps: readonly [string, () => Promise<unknown>][] = [
    ['compaction', () => parts.compaction?.stop() ?? Promise.resolve()],
    ['upkeep', () => parts.upkeep?.stop() ?? Promise.resolve()],
    ['retention', () => parts.retention?.stop() ?? Promise.resolve()],
    ['joining the requester', () => giveUpJoining(parts)],
    ['the compute side', () => parts.compute?.stop(graceMs) ?? Promise.resolve()],
    ['the link', () => Promise.resolve(parts.link?.close())],
    ['the requester', () => parts.requester?.stop() ?? Promise.resolve()],
    ['the API', () => parts.api?.close() ?? Promise.resolve()],
    ['the certificate', () => Promise.resolve(parts.tls?.close())],
    ['access', () => Promise.resolve(parts.access?.close())],
    ['remembering the stores', () => parts.remember?.() ?? Promise.resolve()],
    ['the execution store', () => parts.executions?.close() ?? Promise.resolve()],
    ['the job store', () => parts.jobs?.close() ?? Promise.resolve()],
  ]
  for (const [what, stop] of steps) {
    try {
      await stop()
    } catch (error) {
      log.error({ err: error }, `${what} did not stop cleanly`)
    }
  }
}

async function giveUpJoining({ joining }: Parts): Promise<void> {
  joining?.giveUp()
  await joining?.done
}
