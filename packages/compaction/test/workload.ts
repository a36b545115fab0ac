import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import type { KvRow, KvStore } from '@saltcod/store-core/backend'
import { STORE_TABLES } from '@saltcod/store-core/backend'

/** A clock that a test moves. */
export class TestClock {
  nowMs = 1_700_000_000_000
  readonly read = (): number => this.nowMs
}

/** Takes one of several at random. */
export function pick<T>(random: () => number, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T
}

const NAMESPACES = ['default', 'science', 'web'] as const
const JOB_ENDS = ['Completed', 'Failed', 'Stopped'] as const

/** Fills a store with jobs of all sorts, the clock moving between them. */
export async function fillWithJobs(
  store: JobStore,
  clock: TestClock,
  random: () => number,
  number: number,
): Promise<void> {
  const jobIds: string[] = []
  for (let n = 0; n < number; n++) {
    const { job } = await store.submitJob({
      namespace: pick(random, NAMESPACES),
      type: 'batch',
      spec: { text: 'x'.repeat(Math.floor(random() * 500)) },
      labels: { n: String(n % 3) },
      ...(random() < 0.5 ? { evaluation: null } : {}),
    })
    jobIds.push(job.id)
    clock.nowMs += 1 + Math.floor(random() * 1_000)
  }
  for (const jobId of jobIds) {
    clock.nowMs += 1 + Math.floor(random() * 1_000)
    await liveOn(store, jobId, random)
  }
}

async function liveOn(store: JobStore, jobId: string, random: () => number): Promise<void> {
  const executions = Math.floor(random() * 4)
  for (let n = 0; n < executions; n++) {
    const { id } = await store.createExecution({ jobId, nodeId: `node-${n}` })
    if (random() < 0.9) await store.updateExecution({ executionId: id, to: 'Completed' })
  }
  if (random() < 0.2) return
  await store.transitionJob({ jobId, to: pick(random, JOB_ENDS) })
  if (random() < 0.1) await store.holdJob({ jobId, reason: 'audit' })
  if (random() < 0.1) await store.reviseJob({ jobId })
}

const EXECUTION_ENDS = ['Completed', 'Failed', 'Cancelled'] as const

/** Fills a compute node's store with executions of all sorts. */
export async function fillWithExecutions(
  store: ExecutionStore,
  clock: TestClock,
  random: () => number,
  number: number,
): Promise<void> {
  for (let n = 0; n < number; n++) {
    clock.nowMs += 1 + Math.floor(random() * 1_000)
    const { id } = await store.createExecution({
      id: `run-${n}`,
      requesterId: 'requester',
      job: {
        id: `job-${n % 7}`,
        version: 1,
        namespace: pick(random, NAMESPACES),
        name: 'words',
        type: 'batch',
        priority: 0,
        spec: { text: 'x'.repeat(Math.floor(random() * 500)) },
      },
    })
    if (random() < 0.2) continue
    const { revision } = await store.updateExecution({ executionId: id, to: pick(random, EXECUTION_ENDS) })
    if (random() < 0.8) await store.acknowledgeExecution({ executionId: id, revision })
  }
}

/** Returns every row of some tables as text, by table and key. */
export function dumpRows(kv: KvStore, tables: readonly string[] = STORE_TABLES): Map<string, string> {
  const rows = new Map<string, string>()
  for (const table of tables) {
    let from: { gt: Uint8Array } | Record<never, never> = {}
    for (;;) {
      const read: KvRow[] = kv.read((snapshot) => snapshot.range(table, { ...from, limit: 1_000 }))
      for (const { key, value } of read) rows.set(`${table} ${hex(key)}`, hex(value))
      const last = read.at(-1)
      if (last === undefined || read.length < 1_000) break
      from = { gt: last.key }
    }
  }
  return rows
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
