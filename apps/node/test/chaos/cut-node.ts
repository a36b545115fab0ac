import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireGetJobAnswer, WirePutJobAnswer } from '@saltcod/bacalhau-records'
import type { Archive } from '@saltcod/compaction'
import {
  type Config,
  loadConfig,
  type ResolvedPaths,
  resolvePaths,
  type StoreLocation,
} from '@saltcod/config'
import { EXECUTION_STATES, type ExecutionStore, type JobStore } from '@saltcod/store-core'
import type { DiskImage } from '@saltcod/store-testing/crash'
import { type Logger, pino } from 'pino'
import { flagUses } from '../../../../test/flag-uses.ts'
import { renewOwnerNotes } from '../../../../test/owner-notes.ts'
import { openNodeArchive } from '../../src/archive/open-archive.ts'
import { settleIdentity } from '../../src/cli/node-identity.ts'
import { workDirOf } from '../../src/compute/layout.ts'
import { startNode } from '../../src/node.ts'
import { openExecutions, openJobs } from '../../src/open-stores.ts'

/** What a client was told of a job: that it was taken, or the state that it had come to. */
export interface Acknowledged {
  readonly id: string
  readonly state: string | null
  /** Whether it completes by itself and soon. */
  readonly ends: boolean
  /** What its program prints; `null` where it has none. */
  readonly text: string | null
}

/** What an image must hold, and where it comes from. */
interface Expected {
  readonly acknowledged: readonly Acknowledged[]
  readonly place: string
}

/**
 * What a start may have to tell after a power cut. A line of a manifest that had to be made again is not among them.
 */
const NOTICES = new Set(['OWNER_DIED', 'REWRITE_CUT_SHORT', 'ARCHIVE_TAIL_CUT', 'MIGRATED'])

/** Of what lies beside a store, all that may stay there. */
const BESIDE_STORES = /^(jobs|executions)\.db(-lock|\.owner|\.schema-\d+-\d+)?$/

const DEADLINE_MS = 60_000

const configs = new Map<string, Config>()

/** Reads the configuration of a repository; what was read before is not read again. */
function configOf(repository: string, flags: readonly string[]): Config {
  const text = readFileSync(join(repository, 'saltcod.yaml'), 'utf8')
  const key = `${repository} ${flags.join(' ')} ${text}`
  const known = configs.get(key)
  if (known !== undefined) return known
  const argv = ['--repo', repository, '--port', '0', ...flags]
  const { config, errors } = loadConfig({ flags: flagUses(...argv), env: {} })
  assert.ok(config !== undefined, JSON.stringify(errors))
  const read = { ...config, gracePeriodMs: 0 }
  configs.set(key, read)
  return read
}

/** The directory of a node as a power cut left it, opened as the node opens it, in this process. */
export class CutNode {
  readonly #directory: string
  readonly #config: Config
  readonly #log: Logger
  readonly #notices: string[] = []

  /** Where `closed` is true the stores say that they were closed in good order, which makes their opening cheap. */
  constructor(parent: string, image: DiskImage, flags: readonly string[], closed: boolean) {
    // One at a time, in the same place, so that all of them have the same configuration.
    this.#directory = join(parent, 'image')
    mkdirSync(this.#directory)
    image.write(this.#directory)
    renewOwnerNotes(this.#directory, image, closed)
    this.#config = configOf(join(this.#directory, 'repo'), flags)
    const write = (line: string): void => {
      const { code } = JSON.parse(line) as { readonly code?: string }
      if (code !== undefined) this.#notices.push(code)
    }
    this.#log = pino({ level: 'warn' }, { write })
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Does what a start does before it serves, and compares. Returns the notices. */
  async open(expected: Expected): Promise<readonly string[]> {
    const { nodeId } = settleIdentity(this.#config, { fresh: false, acceptStores: false })
    const paths = resolvePaths(this.#config, nodeId)
    const opening = { nodeId, quota: this.#config.quota, log: this.#log }
    const jobs = await openJobs(paths.jobStore, opening)
    const executions = await openExecutions(paths.executionStore, opening)
    const archive = await openNodeArchive(this.#config.archive.directory, this.#log)
    try {
      for (const store of [jobs, executions]) {
        const { findings } = await store.check()
        assert.deepEqual(findings, [], expected.place)
      }
      assert.ok(archive !== null, expected.place)
      const kept = await compare(jobs, archive, expected)
      await compareSides(jobs, executions, expected)
      await compareOutput(executions, kept, paths, expected)
      const left = [paths.jobStore, paths.executionStore].flatMap(leftBeside)
      assert.deepEqual({ place: expected.place, left }, { place: expected.place, left: [] })
    } finally {
      await jobs.close()
      await executions.close()
    }
    return this.#checkNotices(expected)
  }

  /** Starts the node, lets it recover, end all that ends and do a job, stops it, and compares. Returns the notices. */
  async serve(expected: Expected): Promise<readonly string[]> {
    const { nodeId } = settleIdentity(this.#config, { fresh: false, acceptStores: false })
    const node = await startNode({
      config: this.#config,
      nodeId,
      shownConfig: () => ({}),
      log: this.#log,
      signal: new AbortController().signal,
    })
    try {
      const engine = { Type: 'noop', Params: {} }
      const job = { Name: 'after', Type: 'batch', Tasks: [{ Name: 'main', Engine: engine }] }
      const answer = await fetch(`${node.url}/api/v1/orchestrator/jobs`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ Job: job }),
      })
      const { JobID } = (await answer.json()) as WirePutJobAnswer
      assert.equal(answer.status, 200, expected.place)
      const ending = [
        ...expected.acknowledged.filter(({ ends }) => ends),
        { id: JobID, ends: true, text: null },
      ]
      for (const { id } of ending) await completed(node.url, id, expected.place)
      await node.stop()
      const ended = ending.map((fact) => ({ ...fact, state: 'Completed' }))
      return await this.open({ ...expected, acknowledged: [...expected.acknowledged, ...ended] })
    } finally {
      await node.stop()
    }
  }

  #checkNotices({ place }: Expected): readonly string[] {
    const others = this.#notices.filter((code) => !NOTICES.has(code))
    assert.deepEqual(others, [], place)
    return this.#notices
  }
}

/** Waits until a job has completed; one that retention took away had, or `compare` finds it missing. */
async function completed(url: string, id: string, place: string): Promise<void> {
  const endMs = Date.now() + DEADLINE_MS
  for (;;) {
    const answer = await fetch(`${url}/api/v1/orchestrator/jobs/${id}`)
    if (answer.status === 404) return
    const { Job } = (await answer.json()) as WireGetJobAnswer
    if (Job.State.StateType === 'Completed') return
    assert.ok(Date.now() < endMs, `${place}: ${id} stays ${Job.State.StateType} (${Job.State.Message})`)
    await delay(20)
  }
}

/** Returns the ids of the jobs in the store. */
async function compare(
  jobs: JobStore,
  archive: Archive,
  { acknowledged, place }: Expected,
): Promise<ReadonlySet<string>> {
  const states = new Map<string, string>()
  for await (const { id, state } of archive.list()) states.set(id, state)
  assert.deepEqual((await archive.verify()).problems, [], place)
  const { items, quarantined } = await jobs.listJobs({ limit: 1_000 })
  for (const { id, state } of items) states.set(id, state)
  const lost = acknowledged.filter(({ id }) => !states.has(id))
  const undone = acknowledged.filter(({ id, state }) => state !== null && states.get(id) !== state)
  assert.deepEqual({ place, lost, undone, quarantined }, { place, lost: [], undone: [], quarantined: [] })
  return new Set(items.map(({ id }) => id))
}

/** What the requester believes to run or to have run is known to the compute side, which wrote it down first. */
async function compareSides(jobs: JobStore, executions: ExecutionStore, { place }: Expected): Promise<void> {
  const { items } = await jobs.listExecutions({ states: EXECUTION_STATES, limit: 1_000 })
  const listed = await executions.listExecutions({ limit: 1_000 })
  const states = new Map(listed.items.map(({ id, state }) => [id, state]))
  const behind = items.filter(({ id, state, computeRevision }) => {
    if (computeRevision === 0) return false
    const known = states.get(id)
    if (state === 'Completed') return known !== 'Completed'
    return known === undefined || (state === 'Running' && known === 'BidAccepted')
  })
  assert.deepEqual({ place, behind }, { place, behind: [] })
}

/** What a program has printed, and what was published of it, is there as long as the job is. */
async function compareOutput(
  executions: ExecutionStore,
  kept: ReadonlySet<string>,
  { executionStore, results }: ResolvedPaths,
  { acknowledged, place }: Expected,
): Promise<void> {
  assert.ok(executionStore.type === 'lmdb')
  const dataDir = dirname(executionStore.path)
  const texts = new Map(acknowledged.map(({ id, text }) => [id, text]))
  const { items } = await executions.listExecutions({ limit: 1_000 })
  const wrong: string[] = []
  for (const { id, job, state, publishedResult } of items) {
    const text = texts.get(job.id) ?? null
    if (!kept.has(job.id) || state !== 'Completed') continue
    const paths = [
      ...(text === null ? [] : [join(workDirOf(dataDir, id), 'stdout')]),
      ...(publishedResult === null ? [] : [join(results, id, 'stdout')]),
    ]
    for (const path of paths) {
      const found = existsSync(path) ? readFileSync(path, 'utf8') : null
      if (found === null || (text !== null && found !== text)) wrong.push(`${path}: ${found}`)
    }
  }
  assert.deepEqual({ place, wrong }, { place, wrong: [] })
}

/** Returns what lies beside a store that should not. */
function leftBeside(location: StoreLocation): string[] {
  if (location.type !== 'lmdb') return []
  return readdirSync(dirname(location.path)).filter((name) => /\.db/.test(name) && !BESIDE_STORES.test(name))
}
