import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { afterAll, expect, test, vi } from 'vitest'
import { completedJob, executionStoreBytes, jobRecord, jobStoreBytes } from '../../../test/bacalhau-writer.ts'
import { damagedBolts } from '../../../test/damaged-bolt.ts'
import { ProgramSession, type SessionRun } from '../../../test/program-session.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

vi.setConfig({ testTimeout: 7_200_000 })

const PAGE = 4096
const FILES = IS_LONG ? 520 : 4
const SEED = testSeed()
/** The memory of one process through all of them. */
const MOST_BYTES = 512 * 1024 * 1024

const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
afterAll(() => session.close())

interface Report {
  readonly nodeId: string
  readonly counts: { readonly jobs: number; readonly executions: number; readonly computeExecutions: number }
  readonly notes: readonly { readonly kind: string; readonly code: string; readonly count: number }[]
}

async function run(what: string, ...args: readonly string[]): Promise<SessionRun> {
  const ran = await session.run(args, { cwd: '/' })
  const told = `${what}: ${args.join(' ')}\n${ran.stderr}`
  expect([0, 1, 2, 3], told).toContain(ran.code)
  expect(`${ran.stdout}\n${ran.stderr}`, told).not.toMatch(/undefined|NaN|TypeError|RangeError|\n {4}at /)
  if (ran.code > 1) expect(ran.stderr, told).toMatch(/^Error: .*\nHint: /m)
  return ran
}

async function idsIn(repository: string, nodeId: string): Promise<readonly string[]> {
  const path = join(repository, `${nodeId}-requester`, 'jobs.db')
  const store = await openLmdbJobStore({ path, readOnly: true })
  const { items } = await store.listJobs({ limit: 1_000 })
  await store.close()
  return items.map(({ id }) => id).sort()
}

const JOBS = Array.from({ length: 30 }, (_, index) => `j-${String(index).padStart(8, '0')}`)
const REQUESTER = 'orchestrator/state_boltdb.db'
const COMPUTE = 'compute/state_boltdb.db'
const SOUND = {
  [REQUESTER]: jobStoreBytes(Object.fromEntries(JOBS.map((id) => [id, completedJob(id)]))),
  [COMPUTE]: executionStoreBytes(
    Object.fromEntries(
      JOBS.map((id) => [
        id.replace('j', 'e'),
        {
          ID: id.replace('j', 'e'),
          JobID: id,
          Job: jobRecord(id),
          ComputeState: { StateType: 9 },
          Revision: 4,
        },
      ]),
    ),
    Object.fromEntries(
      JOBS.map((id) => [id.replace('j', 'e'), [{ Message: 'x', Timestamp: '2023-01-01T00:00:00Z' }]]),
    ),
  ),
}

interface DamagedRepository {
  /** How it was damaged. */
  readonly what: string
  readonly files: Readonly<Record<string, Buffer>>
}

/** Damages the file of the requester, and each fourth time that of the compute node. */
function damagedRepositories(): readonly DamagedRepository[] {
  const [ofRequester, ofCompute] = [
    damagedBolts(SOUND[REQUESTER], PAGE, { seed: SEED, count: FILES }),
    damagedBolts(SOUND[COMPUTE], PAGE, { seed: SEED, count: FILES }),
  ].map((files) => [...files])
  return Array.from({ length: FILES }, (_, index) => {
    const isCompute = index % 4 === 3
    const damaged = (isCompute ? ofCompute : ofRequester)?.[index]
    if (damaged === undefined) throw new Error('there are as many as were asked for')
    const { kind, seed, bytes } = damaged
    const what = `${kind}, seed ${seed}, number ${index}`
    return { what, files: { ...SOUND, [isCompute ? COMPUTE : REQUESTER]: bytes } }
  })
}

function same(what: string, found: unknown, wanted: unknown): void {
  assert.deepEqual(found, wanted, `${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
}

/** Imports one, and returns whether that made stores. What is wrong with them, or with what is said, is thrown. */
async function importOne(directory: string, { what, files }: DamagedRepository): Promise<boolean> {
  const [source, to] = [join(directory, 'source'), join(directory, 'to')]
  rmSync(to, { recursive: true, force: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(source, name), bytes)
  const { code, stdout } = await run(what, 'import', source, '--to', to, '--apply', '--output', 'json')
  if (code > 1) {
    same(what, [stdout, existsSync(to) ? readdirSync(to) : []], ['', []])
    return false
  }
  const report = JSON.parse(stdout) as Report
  same(what, (await run(what, 'check', to)).code, 0)
  const ids = await idsIn(to, report.nodeId)
  same(
    what,
    ids.filter((id) => !JOBS.includes(id)),
    [],
  )
  const isWhole = ids.length === JOBS.length && report.counts.executions === JOBS.length
  const isNamed = report.notes.some(({ kind }) => kind === 'left-out')
  if (!isWhole || report.counts.computeExecutions < JOBS.length) same(what, isNamed, true)
  same(what, code, isNamed ? 1 : 0)
  // What a listing shows comes over, unless it is said why it does not.
  const listed = await run(what, 'jobs', source, '--all', '--output', 'json')
  if (listed.code === 0) {
    const shown = (JSON.parse(listed.stdout) as { id: string }[]).map(({ id }) => id)
    if (!isNamed) same(what, shown.sort(), ids)
  }
  const compared = await run(what, 'diff', source, to, '--limit', '1000', '--output', 'json')
  if (compared.code < 2) {
    const differences = JSON.parse(compared.stdout) as { what: string; reason: string | null }[]
    const unexplained = differences.filter((one) => one.reason === null && one.what !== 'left-out')
    same(what, unexplained, [])
  }
  return true
}

test(`of ${FILES} damaged repositories an import brings over what can be read, names the rest, and makes sound stores or none, from seed ${SEED} on`, async () => {
  const directory = temporaryDirectory()
  for (const role of ['orchestrator', 'compute'])
    mkdirSync(join(directory, 'source', role), { recursive: true })
  let imported = 0
  const wrong: string[] = []
  for (const repository of damagedRepositories()) {
    try {
      if (await importOne(directory, repository)) imported += 1
    } catch (error) {
      wrong.push(String(error))
    }
  }
  expect(wrong).toEqual([])
  expect(imported).toBeGreaterThan(FILES / 4)
  const peak = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${session.pid}/status`, 'latin1'))?.[1]
  expect(Number(peak) * 1_024).toBeLessThan(MOST_BYTES)
})
