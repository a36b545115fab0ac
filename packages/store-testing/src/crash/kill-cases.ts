import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import {
  type DurableStore,
  EXECUTION_STATES,
  type ExecutionStore,
  type JobStore,
  type Page,
  type PageRequest,
} from '@saltcod/store-core'
import type { CrashBackend } from './crash-backend.ts'
import type { CrashCase } from './crash-case.ts'
import { LineProcess } from './line-process.ts'
import { StoreLedger } from './store-ledger.ts'
import { WRITER_TABLES, WriterLedger } from './writer-ledger.ts'

/** The program that writes through the key-value contract. */
export const KV_WRITER: string = fileURLToPath(
  new URL('../../processes/kv-writer-process.mjs', import.meta.url),
)
const STORE_WRITER = fileURLToPath(new URL('../../processes/store-writer-process.mjs', import.meta.url))
const OUTCOMES = 'outcomes.ndjson'
/** About a hundred outcomes. */
const MAX_LIFE_BYTES = 12_000
const LANES = 2

/** Cases that kill a process in the midst of its work, again and again. */
export const killCases: readonly CrashCase[] = [
  {
    name: 'after each kill every acknowledged write is there, and no part of a refused one',
    run: async ({ module, backend, directory, kills, random }) => {
      const ledger = new WriterLedger()
      for (let kill = 0; kill < kills; kill += 1) {
        const writer = new LineProcess([KV_WRITER, module.href, directory])
        try {
          // Some are killed as they start, the others anywhere in the midst of their work.
          await writer.line('open')
          await writer.count(1 + random.below(200))
        } finally {
          await writer.kill()
        }
        ledger.note(writer.lines)
        const store = await backend.openKv(directory, WRITER_TABLES)
        try {
          ledger.compare(store, `kill ${kill}`)
        } finally {
          await store.close()
        }
      }
      assert.ok(ledger.kept.size > kills)
    },
  },
  {
    name: 'after each kill every acknowledged change of both stores is there, and nothing in part',
    run: async (context) => {
      // Lanes with stores of their own keep all processors busy.
      const lanes = Array.from({ length: LANES }, (_, lane) => join(context.directory, `lane-${lane}`))
      const ledgers = await Promise.all(lanes.map((directory) => killAgainAndAgain(context, directory)))
      for (const { acknowledged, plansCompared } of ledgers) {
        assert.ok(acknowledged > 10 * context.kills)
        assert.ok(plansCompared > context.kills / 10)
      }
    },
  },
]

/** Returns what became of all the changes. */
async function killAgainAndAgain(
  { module, backend, kills, random }: Parameters<CrashCase['run']>[0],
  directory: string,
): Promise<StoreLedger> {
  mkdirSync(directory)
  const ledger = new StoreLedger()
  const part = () => random.below(1_000) / 1_000
  for (let life = 0; life < kills; life += 1) {
    await liveAndDie(module, directory, life, part)
    await compare(backend, directory, ledger).catch((error: unknown) => {
      throw new Error(`after kill ${life}: ${(error as Error).message}`, { cause: error })
    })
  }
  return ledger
}

/**
 * Lets a writer live and kills it: one in ten while it starts, some after a random time, the others once it has said a
 * random amount, so that much has happened on a slow machine too.
 */
async function liveAndDie(module: URL, directory: string, life: number, part: () => number): Promise<void> {
  const writer = new LineProcess([STORE_WRITER, module.href, directory, String(life)])
  const manner = life === 0 ? 1 : part()
  let end: string | undefined
  const ended = writer.exit().then((how) => {
    end = how
  })
  if (manner < 0.1) await setTimeout(part() * 200)
  else {
    await writer.count(1)
    if (manner < 0.4) await setTimeout(part() * 100)
    else {
      const path = join(directory, OUTCOMES)
      const until = statSync(path).size + part() * MAX_LIFE_BYTES
      while (statSync(path).size < until && end === undefined) await setTimeout(1)
    }
  }
  await writer.kill()
  await ended
  assert.equal(end, 'SIGKILL', 'the writer ended by itself')
}

async function compare(backend: CrashBackend, directory: string, ledger: StoreLedger): Promise<void> {
  ledger.readOutcomes(join(directory, OUTCOMES))
  const jobs = await backend.openJobStore(directory)
  const executions = await backend.openExecutionStore(directory)
  try {
    await ledger.compareJobs(jobs)
    await ledger.compareExecutions(executions)
    await assertSound(jobs, await countJobs(jobs))
    await assertSound(executions, await countExecutions(executions))
  } finally {
    await jobs.close()
    await executions.close()
  }
}

async function assertSound(store: DurableStore, records: Record<string, number>): Promise<void> {
  const { findings } = await store.check()
  assert.deepEqual(findings, [])
  const counted: Record<string, number> = {}
  for (const { kind, state, records: number } of await store.counts()) counted[`${kind} ${state}`] = number
  assert.deepEqual(counted, records)
}

async function countJobs(store: JobStore): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  const add = (name: string) => {
    sums[name] = (sums[name] ?? 0) + 1
  }
  for await (const job of all((request) => store.listJobs(request))) add(`job ${job.state}`)
  const executions = all((request) => store.listExecutions({ ...request, states: EXECUTION_STATES }))
  for await (const execution of executions) add(`execution ${execution.state}`)
  for await (const { status } of all((request) => store.listEvaluations(request))) add(`evaluation ${status}`)
  return sums
}

async function countExecutions(store: ExecutionStore): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  for await (const { state } of all((request) => store.listExecutions(request))) {
    sums[`execution ${state}`] = (sums[`execution ${state}`] ?? 0) + 1
  }
  return sums
}

async function* all<T>(list: (request: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: string | null = null
  do {
    const page: Page<T> = await list({ limit: 1_000, cursor })
    yield* page.items
    cursor = page.next
  } while (cursor !== null)
}
