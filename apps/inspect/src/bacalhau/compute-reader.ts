import {
  type ComputeGeneration,
  type ComputeHead,
  keyText,
  type Note,
  orDamaged,
  readComputeExecution,
  readComputeHead,
  type StoredComputeExecution,
  type Tell,
  valuesOf,
  type WholeComputeExecution,
} from '@saltcod/bacalhau-records'
import type { BoltSnapshot } from '@saltcod/store-bolt'
import {
  COMPUTE_MACHINE,
  type ComputeExecution,
  type HistoryEntry,
  type Page,
  type StateCount,
} from '@saltcod/store-core'
import type { ExecutionReader } from '../source/record-reader.ts'
import { type ExecutionsFile, holds } from './bacalhau-files.ts'
import { damagedPage } from './bacalhau-records.ts'
import { HeadCounts } from './head-counts.ts'
import { OrderedRun, type Placed } from './ordered-run.ts'
import { isShortId, noRecord, onlyOf } from './stored-record.ts'

const DEFAULT_LIMIT = 100
const EXECUTIONS_A_PIECE = 500
const MAX_MATCHES = 20
/** Of so many records that cannot be read it is found out why. */
const MAX_REASONS = 1_000

/** Returns who is to be told of damage at a place. */
type DamageAt = (record: Note['record'], place: string) => (damage: { readonly what: string }) => void

type Listed = NonNullable<Parameters<ExecutionReader['listExecutions']>[0]>

/**
 * Reads the executions of a compute node of Bacalhau as one reads those of a store of ours, without those that a newer
 * generation has.
 */
export class BacalhauExecutionReader implements ExecutionReader {
  readonly #file: ExecutionsFile
  readonly #newer: readonly ExecutionsFile[]
  readonly #tell: Tell
  readonly #unreadable = new Set<string>()
  #run: { readonly key: string; readonly run: OrderedRun<Placed> } | undefined
  #read: { readonly id: string; readonly whole: WholeComputeExecution | null } | undefined

  constructor(file: ExecutionsFile, newer: readonly ExecutionsFile[], tell: Tell) {
    this.#file = file
    this.#newer = newer
    this.#tell = tell
  }

  /** Yields the head of every execution, and keeps none of them. */
  async *walk(): AsyncGenerator<ComputeHead> {
    for (const generation of this.#file.layout.generations) {
      const { executions } = generation
      const pieces = this.#file.bolt.pieces(
        [executions],
        ({ key, value }) => {
          if (value === null) return null
          const id = keyText(key)
          return { id, head: readComputeHead({ key: id, json: value.toString() }, generation) }
        },
        {
          maxRows: EXECUTIONS_A_PIECE,
          onDamage: ({ what }) => this.#tell(damagedPage('execution', executions, what)),
        },
      )
      for await (const { values } of pieces) {
        for (const value of values) {
          if (value === null || (await this.#isInNewer(value.id, generation))) continue
          if (value.head === null) await this.#tellUnreadable(value.id)
          else yield value.head
        }
      }
    }
  }

  async getExecution(id: string): Promise<ComputeExecution | null> {
    return (await this.#whole(id))?.execution ?? null
  }

  async findExecution(text: string): Promise<ComputeExecution> {
    const exact = await this.getExecution(text)
    if (exact !== null) return exact
    const id = isShortId(text) ? onlyOf('executions', text, await this.#idsFrom(text)) : undefined
    const execution = id === undefined ? null : await this.getExecution(id)
    if (execution === null) throw noRecord('execution', text)
    return execution
  }

  async listExecutions(query: Listed = {}): Promise<Page<ComputeExecution>> {
    const { limit = DEFAULT_LIMIT, reverse = false, cursor = null, ...conditions } = query
    const { jobId, states, inProgress } = conditions
    const heads = (): AsyncGenerator<ComputeHead> => this.walk()
    const walk = async function* (): AsyncGenerator<Placed> {
      for await (const head of heads()) {
        const isWanted =
          (jobId === undefined || head.jobId === jobId) &&
          (states === undefined || states.includes(head.state)) &&
          (inProgress !== true || !COMPUTE_MACHINE.terminal.has(head.state))
        if (isWanted) yield { id: head.id, atMs: jobId === undefined ? head.modifiedAtMs : head.createdAtMs }
      }
    }
    const key = JSON.stringify([conditions, reverse])
    if (this.#run?.key !== key) this.#run = { key, run: new OrderedRun(walk, reverse) }
    const { items: placed, next } = await this.#run.run.page(cursor, limit)
    const items: ComputeExecution[] = []
    for (const { id } of placed) {
      const execution = await this.getExecution(id)
      if (execution !== null) items.push(execution)
    }
    return { items, next, previous: null, examined: placed.length, quarantined: [] }
  }

  async listHistory({
    executionId,
    limit = DEFAULT_LIMIT,
    cursor = null,
  }: Parameters<ExecutionReader['listHistory']>[0]): Promise<Page<HistoryEntry>> {
    const all = (await this.#whole(executionId))?.history ?? []
    const from = cursor === null ? 0 : Number(cursor)
    const items = all.slice(from, from + limit)
    const next = from + items.length < all.length ? String(from + items.length) : null
    return { items, next, previous: null, examined: items.length, quarantined: [] }
  }

  async counts({
    kind = 'execution',
    namespace,
  }: Parameters<ExecutionReader['counts']>[0] = {}): Promise<StateCount[]> {
    const counts = new HeadCounts()
    if (kind === 'execution') for await (const head of this.walk()) counts.add('execution', head.state, head)
    return counts.counts.filter((count) => namespace === undefined || count.namespace === namespace)
  }

  /** The last one that was read is kept: its history comes in pages. */
  async #whole(id: string): Promise<WholeComputeExecution | null> {
    if (this.#read?.id === id) return this.#read.whole
    let whole: WholeComputeExecution | null = null
    for (const generation of this.#file.layout.generations) {
      const stored = await this.#stored(id, generation)
      if (stored === null) continue
      if (!(await this.#isInNewer(id, generation)))
        whole = readComputeExecution(stored, generation, this.#tell)
      break
    }
    this.#read = { id, whole }
    return whole
  }

  async #stored(id: string, generation: ComputeGeneration): Promise<StoredComputeExecution | null> {
    const { executions, history } = generation
    return await this.#readTelling((snapshot, damageAt) => {
      const json = orDamaged(() => snapshot.bucket([executions])?.get(id), damageAt('execution', executions))
      if (json === undefined) return null
      const onDamage = damageAt('history', `${history}/${id}`)
      const entries = orDamaged(() => snapshot.bucket([history, id]), onDamage)
      return { id, json: json.toString(), history: valuesOf(entries, onDamage) }
    })
  }

  /** Reads of one snapshot, and tells what of it is damaged once that counts. */
  async #readTelling<T>(read: (snapshot: BoltSnapshot, damageAt: DamageAt) => T): Promise<T> {
    const { value, notes } = await this.#file.bolt.read((snapshot) => {
      const notes: Note[] = []
      const value = read(snapshot, (record, place) => ({ what }) => {
        notes.push(damagedPage(record, place, what))
      })
      return { value, notes }
    })
    for (const note of notes) this.#tell(note)
    return value
  }

  async #idsFrom(text: string): Promise<readonly string[]> {
    const found = new Set<string>()
    for (const { executions } of this.#file.layout.generations) {
      await this.#readTelling((snapshot, damageAt) => {
        const onDamage = damageAt('execution', executions)
        const range = { from: text, limit: MAX_MATCHES, onDamage }
        const within = orDamaged(() => snapshot.bucket([executions]), onDamage)
        for (const { key } of within?.keys(range) ?? []) {
          if (!keyText(key).startsWith(text)) break
          found.add(keyText(key))
        }
      })
    }
    return [...found]
  }

  async #tellUnreadable(id: string): Promise<void> {
    if (this.#unreadable.has(id) || this.#unreadable.size >= MAX_REASONS) return
    this.#unreadable.add(id)
    await this.#whole(id)
  }

  /** Whether a newer file has it, or a newer generation of this one. */
  async #isInNewer(id: string, { executions }: ComputeGeneration): Promise<boolean> {
    const { generations } = this.#file.layout
    const before = generations.slice(
      0,
      generations.findIndex((generation) => generation.executions === executions),
    )
    const newer = [
      ...before.map((generation) => ({ bolt: this.#file.bolt, generation })),
      ...this.#newer.flatMap(({ bolt, layout }) =>
        layout.generations.map((generation) => ({ bolt, generation })),
      ),
    ]
    for (const { bolt, generation } of newer) {
      const has = (snapshot: BoltSnapshot): boolean =>
        snapshot.bucket([generation.executions])?.get(id) !== undefined
      if (await holds(bolt, has)) return true
    }
    return false
  }
}
