import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

import type { ExecutionStore, JobStore } from '@saltcod/store-core'

/** A line of the file that the writing process leaves. */
interface Outcome {
  readonly what: string
  readonly id: string
  readonly name: string
  readonly jobId: string
  readonly evaluation: string
  readonly ids: readonly string[]
  readonly revision: number
  readonly state: string
  readonly version: number
  readonly sequence: number
  readonly checkpoint: number
}

/** What is known of a record: its newest acknowledged revision, and whether its removal was begun. */
interface Known {
  readonly revision: number
  readonly state: string | undefined
  readonly jobId: string
  readonly removing: boolean
}

interface Planned {
  readonly outcome: Outcome
  readonly result: 'unknown' | 'applied' | 'refused'
}

/**
 * Everything that killed processes were told, and its comparison with what the stores hold. Every record has one
 * writer, so a record may be at most one change ahead of what its writer heard.
 */
export class StoreLedger {
  readonly #jobs = new Map<string, Known>()
  readonly #runs = new Map<string, Known>()
  readonly #kept = new Map<string, Known>()
  readonly #plans = new Map<string, Planned>()
  readonly #notes = new Map<string, number[]>()
  readonly #checkpoints = new Map<string, number>()
  #acknowledged = 0
  #plansCompared = 0
  #read = 0

  /** How many acknowledgements there were. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** How many plans were looked for in a store. */
  get plansCompared(): number {
    return this.#plansCompared
  }

  /** Reads what was written into the file since the last time. */
  readOutcomes(path: string): void {
    const text = readFileSync(path, 'utf8')
    const lines = text.slice(this.#read).split('\n').slice(0, -1)
    this.#read = text.length
    for (const line of lines) this.#note(JSON.parse(line) as Outcome)
  }

  #note(outcome: Outcome): void {
    const { what, id } = outcome
    if (!what.startsWith('removing') && what !== 'planning') this.#acknowledged += 1
    const known: Known = { ...outcome, removing: false }
    if (what === 'job') this.#jobs.set(id, { ...known, removing: this.#jobs.get(id)?.removing ?? false })
    if (what === 'run') this.#runs.set(id, known)
    if (what === 'kept') this.#kept.set(id, { ...known, removing: this.#kept.get(id)?.removing ?? false })
    if (what === 'removing job') this.#jobs.set(id, { ...known, ...this.#jobs.get(id), removing: true })
    if (what === 'removing kept') this.#kept.set(id, { ...known, ...this.#kept.get(id), removing: true })
    if (what === 'removed job') this.#jobs.set(id, { ...this.#known(this.#jobs, id), state: 'removed' })
    if (what === 'removed kept') this.#kept.set(id, { ...this.#known(this.#kept, id), state: 'removed' })
    if (what === 'note') this.#notes.set(id, [...(this.#notes.get(id) ?? []), outcome.sequence])
    if (what === 'checkpoint') this.#checkpoints.set(id, outcome.checkpoint)
    if (what === 'planning') this.#plans.set(outcome.name, { outcome, result: 'unknown' })
    if (what === 'planned' || what === 'not planned') {
      const planned = this.#plans.get(outcome.name)
      assert.ok(planned !== undefined)
      this.#plans.set(outcome.name, { ...planned, result: what === 'planned' ? 'applied' : 'refused' })
    }
  }

  #known(records: ReadonlyMap<string, Known>, id: string): Known {
    const known = records.get(id)
    assert.ok(known !== undefined, `${id} is not known`)
    return known
  }

  /**
   * Compares the job store with what was acknowledged. What has been looked at is forgotten, since the next
   * process has other records.
   */
  async compareJobs(store: JobStore): Promise<void> {
    for (const [id, known] of this.#jobs) {
      const job = await store.getJob(id)
      compare('job', id, known, job)
      if (job === null) continue
      const history = (await store.listHistory({ jobId: id, limit: 1_000 })).items
      const sequences = new Set(history.map(({ sequence }) => sequence))
      for (const sequence of this.#notes.get(id) ?? [])
        assert.ok(sequences.has(sequence), `note of ${id} is lost`)
      const newest = history.filter(({ level }) => level === 'job').at(-1)
      assert.deepEqual([newest?.revision, newest?.newState], [job.revision, job.state], `history of ${id}`)
      assert.equal((await store.listJobVersions(id)).length, job.version)
    }
    for (const [id, known] of this.#runs) {
      if (!(await this.#isGone(store, known.jobId)))
        compare('execution', id, known, await store.getExecution(id))
    }
    for (const [name, plan] of this.#plans) await this.#comparePlan(store, name, plan)
    for (const records of [this.#jobs, this.#runs, this.#plans, this.#notes]) records.clear()
  }

  /** All of a plan is there or nothing. */
  async #comparePlan(store: JobStore, name: string, { outcome, result }: Planned): Promise<void> {
    const { jobId, ids, evaluation } = outcome
    if (await this.#isGone(store, jobId)) return
    this.#plansCompared += 1
    const found = await Promise.all(ids.map((id) => store.getExecution(id)))
    const there = found.filter((execution) => execution !== null).length
    const status = (await store.getEvaluation(evaluation))?.status
    const followUp = await store.getEvaluation(`v-${name}`)
    if (result === 'applied') assert.equal(there, ids.length, `${name} was acknowledged`)
    if (result === 'refused') assert.equal(there, 0, `${name} was refused`)
    assert.ok(there === 0 || there === ids.length, `${name} is there in part`)
    assert.equal(status, there === 0 ? 'pending' : 'complete', `evaluation of ${name}`)
    const follows = there > 0 && !evaluation.startsWith('v-plan')
    assert.equal(followUp !== null, follows, `follow-up of ${name}`)
  }

  async #isGone(store: JobStore, jobId: string): Promise<boolean> {
    return (await store.getJob(jobId)) === null
  }

  /** Compares the execution store with what was acknowledged. */
  async compareExecutions(store: ExecutionStore): Promise<void> {
    for (const [id, known] of this.#kept) {
      const execution = await store.getExecution(id)
      compare('execution', id, known, execution)
      if (execution === null) continue
      const history = (await store.listHistory({ executionId: id })).items
      assert.equal(history.length, execution.revision, `history of ${id}`)
      assert.equal(history.at(-1)?.newState, execution.state)
    }
    for (const [name, checkpoint] of this.#checkpoints) {
      const found = await store.getCheckpoint(name)
      assert.ok(found === checkpoint || found === checkpoint + 1, `${name} is ${found}, not ${checkpoint}`)
      // The next life goes on from there, also where nobody was told of it.
      this.#checkpoints.set(name, found)
    }
    this.#kept.clear()
  }
}

function compare(
  kind: string,
  id: string,
  known: Known,
  found: { readonly revision: number; readonly state: string } | null,
): void {
  if (known.state === 'removed') {
    assert.equal(found, null, `${kind} ${id} was removed`)
    return
  }
  if (found === null) {
    assert.ok(known.removing, `${kind} ${id} was acknowledged with revision ${known.revision} and is lost`)
    return
  }
  const ahead = found.revision - known.revision
  assert.ok(ahead === 0 || ahead === 1, `${kind} ${id} has revision ${found.revision}, not ${known.revision}`)
  // Whoever begins to remove a record that an earlier process left knows its revision alone.
  if (ahead === 0 && known.state !== undefined)
    assert.equal(found.state, known.state, `${kind} ${id} at revision ${found.revision}`)
}
