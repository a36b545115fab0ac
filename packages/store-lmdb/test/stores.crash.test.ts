import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
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
import { expect, test } from 'vitest'

import { openLmdbExecutionStore, openLmdbJobStore } from '../src/index.ts'
import { CrashLedger } from './crash-ledger.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const WRITER = fileURLToPath(new URL('./crash-writer-process.mjs', import.meta.url))
const OUTCOMES = 'outcomes.ndjson'
/** About a hundred outcomes. */
const MAX_LIFE_BYTES = 12_000
const LANES = 2
const KILLS_PER_LANE = process.env['SALTCOD_LONG'] === undefined ? 15 : 1_000

test(`after each of ${LANES * KILLS_PER_LANE} kills every acknowledged change is there, and nothing in part`, {
  timeout: KILLS_PER_LANE * 30_000,
}, async () => {
  // Lanes with stores of their own keep all processors busy.
  const directories = Array.from({ length: LANES }, temporaryDirectory)
  const ledgers = await Promise.all(directories.map(killAgainAndAgain))
  for (const { acknowledged, plansCompared } of ledgers) {
    expect(acknowledged).toBeGreaterThan(10 * KILLS_PER_LANE)
    expect(plansCompared).toBeGreaterThan(KILLS_PER_LANE / 10)
  }
})

/** Returns what became of all the changes. */
async function killAgainAndAgain(directory: string): Promise<CrashLedger> {
  const ledger = new CrashLedger()
  for (let life = 0; life < KILLS_PER_LANE; life += 1) {
    await liveAndDie(directory, life)
    await inspect(directory, ledger).catch((error: unknown) => {
      throw new Error(`after kill ${life}: ${(error as Error).message}`, { cause: error })
    })
  }
  return ledger
}

/**
 * Lets a writer live and kills it: one in ten while it starts, some after a random time, the others once it has said a
 * random amount, so that much has happened on a slow machine too.
 */
async function liveAndDie(directory: string, life: number): Promise<void> {
  const writer = spawn(process.execPath, [WRITER, directory, String(life)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  writer.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const closed = once(writer, 'close')
  const manner = life === 0 ? 1 : Math.random()
  if (manner < 0.1) await setTimeout(Math.random() * 200)
  else {
    await Promise.race([once(writer.stdout, 'data'), closed])
    if (manner < 0.4) await setTimeout(Math.random() * 100)
    else await hasSaid(join(directory, OUTCOMES), Math.random() * MAX_LIFE_BYTES, writer)
  }
  writer.kill('SIGKILL')
  const [, signal] = (await closed) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', `the writer ended by itself: ${complaint}`)
}

async function hasSaid(path: string, bytes: number, writer: ChildProcess): Promise<void> {
  const end = statSync(path).size + bytes
  while (statSync(path).size < end && writer.exitCode === null) await setTimeout(1)
}

async function inspect(directory: string, ledger: CrashLedger): Promise<void> {
  ledger.readOutcomes(join(directory, OUTCOMES))
  const jobs = await openLmdbJobStore({ path: join(directory, 'jobs.db') })
  const executions = await openLmdbExecutionStore({ path: join(directory, 'executions.db') })
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
