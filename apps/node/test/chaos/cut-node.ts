import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Archive } from '@saltcod/compaction'
import { type Config, loadConfig, resolvePaths } from '@saltcod/config'
import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import { type Logger, pino } from 'pino'
import type { DiskImage } from '../../../../test/power-cut/disk-image.ts'
import { openNodeArchive } from '../../src/archive/open-archive.ts'
import { settleIdentity } from '../../src/cli/node-identity.ts'
import { startNode } from '../../src/node.ts'
import { openExecutions, openJobs } from '../../src/open-stores.ts'
import type { WirePutJobAnswer } from '../../src/wire/models.ts'

/** What a client was told of a job: that it was taken, or the state that it had come to. */
export interface Acknowledged {
  readonly id: string
  readonly state: string | null
}

/** What an image must hold, and where it comes from. */
interface Expected {
  readonly acknowledged: readonly Acknowledged[]
  readonly place: string
}

/** What a start may have to tell after a power cut. A line of a manifest that had to be made again is not among them. */
const NOTICES = new Set(['OWNER_DIED', 'REWRITE_CUT_SHORT', 'ARCHIVE_TAIL_CUT'])

/** One job store in so many is checked whole. */
const CHECKED = 10
let opened = 0

/** The directory of a node as a power cut left it, opened as the node opens it, in this process. */
export class CutNode {
  readonly #directory: string
  readonly #config: Config
  readonly #log: Logger
  readonly #notices: string[] = []

  constructor(parent: string, image: DiskImage, flags: readonly string[]) {
    this.#directory = mkdtempSync(join(parent, 'image-'))
    image.write(this.#directory)
    const argv = ['--repo', join(this.#directory, 'repo'), '--port', '0', ...flags]
    const { config, errors } = loadConfig({ argv, env: {} })
    assert.ok(config !== undefined, JSON.stringify(errors))
    this.#config = { ...config, gracePeriodMs: 0 }
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
    const { nodeId } = settleIdentity(this.#config, false)
    const paths = resolvePaths(this.#config, nodeId)
    const opening = { nodeId, quota: this.#config.quota, log: this.#log }
    const jobs = await openJobs(paths.jobStore, opening)
    const executions = await openExecutions(paths.executionStore, opening)
    const archive = await openNodeArchive(this.#config.archive.directory, this.#log)
    try {
      const kept = await compare(jobs, archive, expected)
      await compareResults(executions, kept, paths.results, expected)
      opened += 1
      if (opened % CHECKED === 0) {
        for (const store of [jobs, executions]) {
          const { findings } = await store.check()
          assert.deepEqual(findings, [], expected.place)
        }
      }
    } finally {
      await jobs.close()
      await executions.close()
    }
    return this.#checkNotices(expected)
  }

  /** Starts the node, lets it recover and do a job, stops it, and compares. Returns the notices. */
  async serve(expected: Expected): Promise<readonly string[]> {
    const { nodeId } = settleIdentity(this.#config, false)
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
      await node.stop()
      const acknowledged = [...expected.acknowledged, { id: JobID, state: null }]
      return await this.open({ ...expected, acknowledged })
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

/** Returns the ids of the jobs in the store. */
async function compare(
  jobs: JobStore,
  archive: Archive | null,
  { acknowledged, place }: Expected,
): Promise<ReadonlySet<string>> {
  const states = new Map<string, string>()
  if (archive !== null) {
    for await (const { id, state } of archive.list()) states.set(id, state)
    assert.deepEqual((await archive.verify()).problems, [], place)
  }
  const { items, quarantined } = await jobs.listJobs({ limit: 1_000 })
  for (const { id, state } of items) states.set(id, state)
  const lost = acknowledged.filter(({ id }) => !states.has(id))
  const undone = acknowledged.filter(({ id, state }) => state !== null && states.get(id) !== state)
  assert.deepEqual({ place, lost, undone, quarantined }, { place, lost: [], undone: [], quarantined: [] })
  return new Set(items.map(({ id }) => id))
}

/** What was published is there as long as the job is. */
async function compareResults(
  executions: ExecutionStore,
  kept: ReadonlySet<string>,
  resultsDir: string,
  { place }: Expected,
): Promise<void> {
  const { items } = await executions.listExecutions({ limit: 1_000 })
  const published = items.filter(({ publishedResult, job }) => publishedResult !== null && kept.has(job.id))
  const gone = published.filter(({ id }) => !existsSync(join(resultsDir, id, 'stdout')))
  assert.deepEqual(gone, [], place)
}
