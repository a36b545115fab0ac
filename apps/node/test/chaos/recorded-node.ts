import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireJob, WirePage } from '@saltcod/bacalhau-records'
import { DiskImage } from '@saltcod/store-testing/crash'
import type { CompactionStatus } from '../../src/compaction/compaction-report.ts'
import { AttackedNode } from './attacked-node.ts'
import type { Acknowledged } from './cut-node.ts'

/** Beside the repository, so that nothing that is made there syncs the repository. */
const CONFIG = { Node: { Requester: { Archive: { Directory: '../history/archive' } } } }

/** How a node is started whose writes are recorded, and the one that opens what a power cut leaves of it. */
export const FLAGS: readonly string[] = ['--allow-exec']

/** What the programs of its jobs print. */
const TEXT = 'some text\n'

const ENDED: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Stopped'])

function jobOf(name: string, engine: object, fields: object = {}): object {
  return { Name: name, Type: 'batch', Tasks: [{ Name: 'main', Engine: engine, ...fields }] }
}

function shell(script: string): object {
  return { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
}

/**
 * A node whose writes are recorded, and those of its supervisors, and what it has acknowledged, with the length of the
 * record by then.
 */
export class RecordedNode {
  readonly record: string
  readonly found: DiskImage
  readonly node: AttackedNode
  readonly acknowledged: (Acknowledged & { readonly at: number })[]

  constructor(library: string, directory: string, record: string, known: readonly Acknowledged[] = []) {
    const environment = { LD_PRELOAD: library, RECORD: record, RECORDED_DIRECTORY: directory }
    this.node = new AttackedNode(join(directory, 'repo'), FLAGS, CONFIG, environment)
    this.record = record
    this.found = DiskImage.read(directory)
    this.acknowledged = known.map((fact) => ({ ...fact, at: 0 }))
  }

  #note(fact: Acknowledged): void {
    this.acknowledged.push({ ...fact, at: statSync(this.record).size })
  }

  /** Notes the jobs that were there before the recording began; what had ended stays as it is. */
  async noteFound(): Promise<void> {
    const answer = await this.node.request('GET', 'orchestrator/jobs?limit=1000')
    const { Items } = (await answer.json()) as WirePage<WireJob>
    for (const { ID, State } of Items) {
      const state = ENDED.has(State.StateType) ? State.StateType : null
      this.acknowledged.push({ id: ID, state, ends: false, text: null, at: 0 })
    }
  }

  /** Submits jobs, waits for their ends, stops one that would not end, and lets some go into the archive. */
  async work(round: string): Promise<void> {
    const results = { Publisher: { Type: 'local' }, ResultPaths: [{ Name: 'out', Path: '/out' }] }
    const jobs = [
      ...Array.from({ length: 5 }, (_, at) => jobOf(`noop-${round}-${at}`, { Type: 'noop' })),
      jobOf(`program-${round}`, shell(`printf '${TEXT.trim()}\\n'`), results),
    ]
    const taken = await Promise.all(
      jobs.map(async (job, at) => {
        const fact = { id: await this.node.submit(job), ends: true, text: at < 5 ? null : TEXT }
        this.#note({ ...fact, state: null })
        return fact
      }),
    )
    const endless = await this.node.submit(jobOf(`endless-${round}`, shell('exec sleep 600')))
    this.#note({ id: endless, state: null, ends: false, text: null })
    for (const fact of taken) {
      await this.node.until(fact.id, 'Completed')
      this.#note({ ...fact, state: 'Completed' })
    }
    const stop = await this.node.request('DELETE', `orchestrator/jobs/${endless}`)
    assert.equal(stop.status, 200, await stop.text())
    this.#note({ id: endless, state: 'Stopped', ends: false, text: null })
    const gc = await this.node.request('POST', 'saltcod/gc', { maxCount: 3 })
    assert.equal(gc.status, 200, await gc.text())
  }

  /** Rewrites both stores, and waits for that. */
  async compact(): Promise<void> {
    await this.node.request('POST', 'saltcod/compact')
    for (;;) {
      const answer = await this.node.request('GET', 'saltcod/compact')
      const { running, error, report } = (await answer.json()) as CompactionStatus
      assert.equal(error, null)
      if (!running)
        return assert.deepEqual(
          report?.stores.map(({ skipped }) => skipped),
          [null, null],
        )
      await delay(20)
    }
  }
}
