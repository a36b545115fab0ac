import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { executionStateName, type WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { openLmdbExecutionStore } from '@saltcod/store-lmdb'
import { eventually } from '../../../../test/eventually.ts'
import { keeperMarkerOf } from '../../src/compute/keeper/marker.ts'
import { AttackedNode } from './attacked-node.ts'
import { processesWith } from './job-processes.ts'
import { killPart, type NodePart, type PartKind, partsOf } from './node-parts.ts'
import { type Kill, RunVerdict, STOPPED } from './run-verdict.ts'
import { checkStores, storePaths } from './stores-of.ts'
import { ToldLives } from './told-lives.ts'
import { type JobSurroundings, serviceJob, type VariedJob } from './varied-jobs.ts'

/** What {@link KilledNode} can be told to kill. */
export type Victim = 'node' | 'keeper' | 'runner' | 'launcher' | 'namespace' | 'program' | 'all'

const PARTS: Readonly<Record<Victim, readonly PartKind[]>> = {
  node: ['node'],
  keeper: ['keeper'],
  runner: ['runner'],
  launcher: ['launcher'],
  namespace: ['holder', 'first'],
  program: ['entry', 'program'],
  all: [],
}

/** What is kept of a run that has ended. */
const KEPT: ReadonlySet<string> = new Set(['stdout', 'stderr', 'exit.json', 'process.json'])

/**
 * A node of which parts are killed while jobs of many kinds run, with all that is needed to judge what it says of
 * them.
 */
export class KilledNode {
  readonly node: AttackedNode
  readonly surroundings: JobSurroundings
  readonly kills: Kill[] = []
  readonly jobs = new Map<string, { readonly job: VariedJob; id: string | undefined; stopped: boolean }>()
  readonly #random: () => number
  readonly #isolate: boolean
  #service = ''

  constructor(directory: string, isolate: boolean, random: () => number) {
    this.#random = random
    this.#isolate = isolate
    this.surroundings = {
      mark: randomUUID(),
      marks: join(directory, 'marks'),
      lockPrefix: join(directory, 'lock'),
    }
    this.node = new AttackedNode(join(directory, 'repo'), ['--allow-exec'], {
      Engines: { Exec: { Isolate: isolate } },
      // Otherwise a job that is hit often would wait longer than the test.
      Recovery: { Interruptions: { Limit: 1_000, Backoff: '50ms', MaxBackoff: '500ms' } },
    })
  }

  /** Starts it, with a job that goes on for ever. */
  async start(): Promise<void> {
    await this.node.start()
    this.#service = await this.node.submit(serviceJob('service', this.surroundings))
  }

  /** Submits a job; one that is known already is asked for again. Rejects where the node goes away meanwhile. */
  async submit(job: VariedJob): Promise<void> {
    const entry = this.jobs.get(job.name) ?? { job, id: undefined, stopped: false }
    this.jobs.set(job.name, entry)
    entry.id = await this.node.submit(job.spec, job.name)
  }

  /** Submits what was lost with the node, and stops some of what would not end, or all of that. */
  async catchUp(share: number): Promise<void> {
    for (const entry of this.jobs.values()) {
      if (entry.id === undefined) await this.submit(entry.job)
      if (!entry.job.endless || entry.stopped || this.#random() >= share) continue
      const { status } = await this.node.request('DELETE', `orchestrator/jobs/${entry.id}`)
      // It may have failed already, as often as it may.
      assert.ok(status === 200 || status === 409, `a stop is answered with ${status}`)
      entry.stopped = true
    }
  }

  /**
   * Kills one part of a kind, or another one where there is none of it. Returns true where the node is gone with it.
   */
  async kill(victim: Victim): Promise<boolean> {
    const serving = new ToldLives(this.surroundings.marks).executionsOf('service')
    // What goes on for ever may fail only so often.
    const parts = partsOf(this.node.pid).filter(({ executions }) => !executions.some((id) => serving.has(id)))
    const fromMs = Date.now()
    const note = (what: Kill['what'], hit: readonly NodePart[]): number =>
      this.kills.push({
        what,
        fromMs,
        toMs: Date.now(),
        executions: hit.flatMap(({ executions }) => executions),
      })
    if (victim === 'all') {
      for (const part of parts.toSorted(() => this.#random() - 0.5)) killPart(part)
      await this.node.kill()
      note('all', [])
      return true
    }
    const fits = parts.filter(({ kind }) => PARTS[victim].includes(kind))
    const part = fits[Math.floor(this.#random() * fits.length)]
    if (part === undefined || part.kind === 'node') {
      await this.node.kill()
      note('node', [])
      return true
    }
    // It may have ended since it was seen; then another one is looked for.
    if (!killPart(part)) return await this.kill(victim)
    note(part.kind, [part])
    return false
  }

  /**
   * Looks at what a node that was killed has left, and starts it again, now and then with a death in the middle of
   * that.
   */
  async revive(): Promise<void> {
    const [last, ...earlier] = this.kills.map(({ what }) => what).toReversed()
    // Without namespaces a job can leave what only its keeper, its node, or the next one finds.
    const isLeftToNext = !this.#isolate && (last === 'all' || earlier[0] === 'keeper')
    const left = isLeftToNext ? this.#left(true) : []
    if (!isLeftToNext) await this.untilNoneIsLeft(true)
    await checkStores(this.node.repository)
    if (this.#random() < 0.25) {
      this.node.spawn()
      await delay(this.#random() * 600)
      await this.node.kill()
    }
    await this.node.start()
    const goesOn = (): string[] => this.#left(true).filter((line) => left.includes(line))
    await eventually(
      () => `the next node ends what is left: ${goesOn().join('; ')}`,
      () => goesOn().length === 0,
    )
  }

  /** Waits until no process of its jobs is left; where the node is gone, no helper of it either. */
  async untilNoneIsLeft(withHelpers: boolean): Promise<void> {
    await eventually(
      () => `nothing is left: ${this.#left(withHelpers).join('; ')}`,
      () => this.#left(withHelpers).length === 0,
    )
  }

  #left(withHelpers: boolean): string[] {
    const texts = [this.surroundings.mark, ...(withHelpers ? [this.node.repository, this.#place] : [])]
    return texts.flatMap((text) => processesWith(text))
  }

  /** What stands in the environment of its keepers and of all their helpers. */
  get #place(): string {
    return keeperMarkerOf(this.#computeDir)
  }

  /** Lets everything come to its end, and returns what is wrong with what the node and its directories say then. */
  async settle(): Promise<string[]> {
    await this.catchUp(1)
    await this.node.until(this.#service, 'Running')
    const { status } = await this.node.request('DELETE', `orchestrator/jobs/${this.#service}`)
    assert.equal(status, 200)
    await this.node.until(this.#service, 'Stopped')
    const answers: [VariedJob, WireGetJobAnswer][] = []
    for (const { job, id = '' } of this.jobs.values()) answers.push([job, await this.#ended(job, id)])
    await this.untilNoneIsLeft(false)
    const told = new ToldLives(this.surroundings.marks)
    const verdict = new RunVerdict(this.kills, told)
    return [
      ...told.overlaps,
      ...answers.flatMap(([job, answer]) => verdict.problems(answer, job)),
      ...this.#filesLeft(answers.map(([, answer]) => answer)),
    ]
  }

  /** Compares what both stores say of the end of each run; the requester's is what the node answers. */
  async differences(): Promise<string[]> {
    const path = storePaths(this.node.repository).executions
    const store = await openLmdbExecutionStore({ path, readOnly: true })
    try {
      const found: string[] = []
      for (const { id = '' } of this.jobs.values()) {
        for (const said of (await this.node.job(id)).Executions?.Items ?? []) {
          const own = await store.getExecution(said.ID)
          const state = executionStateName(said.ComputeState.StateType)
          if (own?.state === state && own.endReason === (said.EndReason ?? null)) continue
          // Whoever stops a job decides how its runs end, whatever becomes of them meanwhile; what is not there ran
          // nowhere.
          if (STOPPED.has(state) || (own === null && said.EndReason === 'record-lost')) continue
          found.push(`${said.ID}: ${state} ${said.EndReason}, but ${own?.state} ${own?.endReason}`)
        }
      }
      return found
    } finally {
      await store.close()
    }
  }

  /** Lets the node forget all jobs, and returns what lies about then. */
  async forget(): Promise<string[]> {
    assert.equal((await this.node.request('POST', 'saltcod/gc', { maxCount: 0 })).status, 200)
    const lying = (): string[] =>
      this.#directories.flatMap((directory) => namesIn(directory).map((name) => join(directory, name)))
    await eventually(
      () => `nothing lies about: ${lying().join()}`,
      () => lying().length === 0,
    )
    return lying()
  }

  /** Ends the node in good order, and returns which of the inputs that its runs shared are left then. */
  async stop(): Promise<string[]> {
    assert.deepEqual(await this.node.signal('SIGTERM'), { code: 0, signal: null })
    await this.untilNoneIsLeft(true)
    return namesIn(join(this.#computeDir, 'inputs'))
  }

  async #ended(job: VariedJob, id: string): Promise<WireGetJobAnswer> {
    let answer = await this.node.job(id)
    const state = (): string => answer.Job.State.StateType
    await eventually(
      () => `${job.name} (${job.kind}) ends; it is ${state()}: ${JSON.stringify(answer.History)}`,
      async () => {
        answer = await this.node.job(id)
        return /Completed|Failed|Stopped/.test(state())
      },
    )
    return answer
  }

  /** Where its runs work, and where their results are kept. */
  get #directories(): readonly string[] {
    return [join(this.#computeDir, 'work'), join(this.#computeDir, 'results')]
  }

  get #computeDir(): string {
    return dirname(storePaths(this.node.repository).executions)
  }

  /** Of a run that has ended there are its logs and notes, and results where it completed. */
  #filesLeft(answers: readonly WireGetJobAnswer[]): string[] {
    const [work = '', results = ''] = this.#directories
    const executions = answers.flatMap((answer) => answer.Executions?.Items ?? [])
    const published = new Set(
      executions.filter(({ PublishedResult }) => PublishedResult.Type !== '').map(({ ID }) => ID),
    )
    const inWork = namesIn(work).flatMap((id) => namesIn(join(work, id)).map((name) => join(id, name)))
    return [
      ...inWork.filter((path) => !KEPT.has(basename(path))).map((path) => `${join(work, path)} is left`),
      ...namesIn(results)
        .filter((name) => !published.has(name))
        .map((name) => `${join(results, name)} is left`),
      ...[...published].flatMap((id) => this.#wrongResults(join(results, id), id)),
    ]
  }

  /** What a native job has carried names the attempt that carried it. */
  #wrongResults(directory: string, id: string): string[] {
    const path = join(directory, 'outputs', 'carried')
    if (!existsSync(path))
      return namesIn(join(directory, 'outputs')).length === 1 ? [] : [`${id} has no results`]
    const last = new ToldLives(this.surroundings.marks).of(id).at(-1)
    const text = readFileSync(path, 'utf8')
    return text.startsWith(`cargo ${id}:${last?.attempt}:`) ? [] : [`${id} has other results: ${text}`]
  }
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}
