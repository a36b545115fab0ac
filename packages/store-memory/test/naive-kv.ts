import { setImmediate } from 'node:timers'

import { StoreError } from '@saltcod/store-core'
import {
  checkWriteOptions,
  type KvCapabilities,
  type KvFailure,
  type KvRange,
  type KvRow,
  type KvSnapshot,
  type KvStore,
  type KvTransaction,
  type KvWriteOptions,
  KvWriteRun,
  type KvWriter,
  runReadBody,
} from '@saltcod/store-core/backend'

/** One thing that a careless backend might do wrong. */
export type Fault =
  | 'checks nothing'
  | 'keeps the changes of a failed body'
  | 'undoes the whole turn with one failed body'
  | 'orders keys by length first'
  | 'orders bytes as signed numbers'
  | 'orders keys as UTF-8 text'
  | 'ignores reverse'
  | 'takes the limit before it reverses'
  | 'takes gt as gte'
  | 'takes lt as lte'
  | 'loses empty values'
  | 'keeps one table only'
  | 'keeps the memory it was given'
  | 'hands out its own memory'
  | 'hides the changes of a body from its ranges'
  | 'writes at once'
  | 'writes the last call first'
  | 'refuses before earlier writes are done'
  | 'commits table by table'
  | 'runs a body again'
  | 'forgets background writes'
  | 'runs background writes first'
  | 'gives background writes all the time that they want'
  | 'forgets what is queued at close'
  | 'closes without waiting'
  | 'refuses to close twice'
  | 'works on after close'
  | 'throws where it should reject'
  | 'settles failed at close'
  | 'forgets everything at close'
  | 'counts removed rows'
  | 'allows nested calls'

type Rows = Map<string, KvRow>
type Data = Map<string, Rows>
interface Request {
  readonly run: () => void
  readonly background: boolean
}

/**
 * A backend that copies everything for each write and sorts for each range, and that can be told to make one
 * mistake. Without one it passes the suite; with one it must not.
 */
export class NaiveKv implements KvStore {
  readonly backend: string = 'naive'
  readonly location: string = 'memory'
  readonly readOnly: boolean = false
  readonly capabilities: KvCapabilities
  readonly failed: Promise<KvFailure>
  readonly #disk: Data
  readonly #fault: Fault | undefined
  #queue: Request[] = []
  #closed: Promise<void> | undefined
  #running: KvWriteRun | undefined
  #failedInTurn = false
  #turns = 0
  #ahead: Data | undefined
  #settleFailed: (failure: KvFailure) => void = () => undefined

  constructor(disk: Data, fault?: Fault) {
    this.#disk = disk
    this.#fault = fault
    this.failed = new Promise((resolve) => {
      this.#settleFailed = resolve
    })
    this.capabilities = { durable: true, statistics: () => this.#statistics() }
  }

  read<T>(body: (snapshot: KvSnapshot) => T): T {
    this.#refuseNested()
    this.#refuseClosed()
    if (this.#fault === 'checks nothing') return body(this.#view(this.#disk))
    return runReadBody(this.#view(this.#disk), new Set(this.#disk.keys()), body)
  }

  write<T>(body: (transaction: KvTransaction) => T, options: KvWriteOptions = {}): Promise<T> {
    this.#refuseNested()
    if (this.#fault === 'throws where it should reject') this.#refuseClosed()
    return new Promise<T>((resolve, reject) => {
      this.#refuseClosed()
      if (this.#fault !== 'checks nothing') checkWriteOptions(options)
      const background = options.background === true
      const run = (): void => {
        try {
          resolve(this.#run(body))
        } catch (error) {
          reject(error as Error)
        }
      }
      if (this.#fault === 'refuses before earlier writes are done') {
        this.#runAhead(body, reject)
      }
      if (this.#fault === 'writes at once') run()
      else if (!(background && this.#fault === 'forgets background writes')) this.#push({ run, background })
      else resolve(undefined as T)
    })
  }

  close(): Promise<void> {
    if (this.#closed !== undefined && this.#fault === 'refuses to close twice') this.#refuseClosed()
    if (this.#fault === 'forgets what is queued at close') this.#queue = []
    const waits = this.#fault !== 'closes without waiting'
    this.#closed ??= (waits ? this.#idle() : Promise.resolve()).then(() => {
      if (this.#fault === 'forgets everything at close') for (const rows of this.#disk.values()) rows.clear()
      if (this.#fault === 'settles failed at close') this.#settleFailed({ code: 'STORE_FAILED', message: '' })
    })
    return this.#closed
  }

  #push(...requests: readonly Request[]): void {
    this.#queue.push(...requests)
    setImmediate(() => {
      const due = this.#takeDue()
      const sign = this.#fault === 'runs background writes first' ? -1 : 1
      due.sort((left, right) => sign * (Number(left.background) - Number(right.background)))
      if (this.#fault === 'writes the last call first') due.reverse()
      this.#runAll(due)
    })
  }

  /** All of the foreground; of the background one in five turns, or all where nothing else waits. */
  #takeDue(): Request[] {
    const queued = this.#queue
    this.#turns += 1
    const foreground = queued.filter(({ background }) => !background)
    const isFree =
      foreground.length === 0 || this.#fault === 'gives background writes all the time that they want'
    if (isFree || this.#fault === 'runs background writes first') this.#queue = []
    else {
      const share = this.#turns % 5 === 0 ? 1 : 0
      const background = queued.filter((request) => request.background)
      this.#queue = background.slice(share)
      if (this.#queue.length > 0) this.#push(...this.#queue.splice(0))
      return [...foreground, ...background.slice(0, share)]
    }
    return queued
  }

  #runAll(requests: readonly Request[]): void {
    this.#ahead = undefined
    if (this.#fault !== 'undoes the whole turn with one failed body') {
      for (const { run } of requests) run()
      return
    }
    const before = copyOf(this.#disk)
    this.#failedInTurn = false
    for (const { run } of requests) run()
    if (this.#failedInTurn) replace(this.#disk, before)
  }

  #run<T>(body: (transaction: KvTransaction) => T): T {
    const changed = copyOf(this.#disk)
    const view = this.#view(changed)
    try {
      if (this.#fault === 'runs a body again') this.#runBody(this.#view(copyOf(this.#disk)), body)
      const result = this.#runBody(view, body)
      this.#commit(changed)
      return result
    } catch (error) {
      if (this.#fault === 'keeps the changes of a failed body') this.#commit(changed)
      this.#failedInTurn = true
      throw error
    }
  }

  #runBody<T>(view: KvWriter, body: (transaction: KvTransaction) => T): T {
    if (this.#fault === 'checks nothing') return body(view)
    const run = new KvWriteRun(view, new Set(this.#disk.keys()))
    this.#running = run
    try {
      return run.run(body)
    } finally {
      this.#running = undefined
    }
  }

  #commit(changed: Data): void {
    if (this.#fault !== 'commits table by table') {
      replace(this.#disk, changed)
      return
    }
    for (const [index, [table, rows]] of [...changed].entries()) {
      if (index === 0) this.#disk.set(table, rows)
      else setImmediate(() => this.#disk.set(table, rows))
    }
  }

  /** Runs a body on what the queued bodies will leave, and refuses at once if it throws. */
  #runAhead(body: (transaction: KvTransaction) => unknown, reject: (error: Error) => void): void {
    const ahead = copyOf(this.#ahead ?? this.#disk)
    try {
      this.#runBody(this.#view(ahead), body)
      this.#ahead = ahead
    } catch (error) {
      reject(error as Error)
    }
  }

  #view(data: Data): KvWriter {
    const fault = this.#fault
    const committed = this.#disk
    const rowsOf = (table: string): Rows => {
      const rows = fault === 'keeps one table only' ? [...data.values()][0] : data.get(table)
      if (rows === undefined) throw new TypeError('no such table')
      return rows
    }
    const out = (value: Uint8Array): Uint8Array =>
      fault === 'hands out its own memory' ? value : new Uint8Array(value)
    const range = (table: string, wanted: KvRange): KvRow[] => {
      const hidden = fault === 'hides the changes of a body from its ranges'
      const rows = hidden ? (committed.get(table) ?? new Map<string, KvRow>()) : rowsOf(table)
      return select([...rows.values()], wanted, fault).map(({ key, value }) => ({
        key: out(key),
        value: out(value),
      }))
    }
    return {
      get: (table, key) => {
        const row = rowsOf(table).get(keyOf(key))
        if (row === undefined || (row.value.length === 0 && fault === 'loses empty values')) return undefined
        return out(row.value)
      },
      range,
      keys: (table, wanted) => range(table, wanted).map(({ key }) => key),
      put: (table, key, value) => {
        const keeps = fault === 'keeps the memory it was given'
        rowsOf(table).set(
          keyOf(key),
          keeps ? { key, value } : { key: new Uint8Array(key), value: new Uint8Array(value) },
        )
      },
      remove: (table, key) => rowsOf(table).delete(keyOf(key)),
    }
  }

  async #idle(): Promise<void> {
    while (this.#queue.length > 0) await new Promise((resolve) => setImmediate(resolve))
  }

  #refuseNested(): void {
    if (this.#running === undefined || this.#fault === 'allows nested calls') return
    throw this.#running.doom(new TypeError('nested'))
  }

  #refuseClosed(): void {
    if (this.#closed === undefined || this.#fault === 'works on after close') return
    throw new StoreError('STORE_CLOSED', 'The naive store was closed.')
  }

  #statistics(): ReturnType<NonNullable<KvCapabilities['statistics']>> {
    this.#refuseClosed()
    const more = this.#fault === 'counts removed rows' ? 1 : 0
    const tables = [...this.#disk].map(([table, { size }]) => ({
      table,
      rows: size + more,
      usedBytes: size * 4,
    }))
    return {
      tables,
      usedBytes: tables.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
      freeBytes: 0,
      fileBytes: 0,
    }
  }
}

function select(
  rows: KvRow[],
  { gte, gt, lt, lte, reverse, limit }: KvRange,
  fault: Fault | undefined,
): KvRow[] {
  const order = (left: Uint8Array, right: Uint8Array): number => compare(left, right, fault)
  const from = gte ?? (fault === 'takes gt as gte' ? gt : undefined)
  const to = lte ?? (fault === 'takes lt as lte' ? lt : undefined)
  const within = rows
    .filter(({ key }) => from === undefined || order(key, from) >= 0)
    .filter(({ key }) => gt === undefined || from !== undefined || order(key, gt) > 0)
    .filter(({ key }) => to === undefined || order(key, to) <= 0)
    .filter(({ key }) => lt === undefined || to !== undefined || order(key, lt) < 0)
    .sort((left, right) => order(left.key, right.key))
  if (fault === 'ignores reverse' || reverse !== true) return within.slice(0, limit)
  if (fault === 'takes the limit before it reverses') return within.slice(0, limit).reverse()
  return within.reverse().slice(0, limit)
}

function compare(left: Uint8Array, right: Uint8Array, fault: Fault | undefined): number {
  if (fault === 'orders keys by length first' && left.length !== right.length)
    return left.length - right.length
  if (fault === 'orders keys as UTF-8 text') {
    const [one, other] = [left, right].map((key) => new TextDecoder().decode(key)) as [string, string]
    return one < other ? -1 : Number(one > other)
  }
  if (fault === 'orders bytes as signed numbers') {
    const at = left.findIndex((byte, index) => byte !== right[index])
    const [one, other] = [left[at], right[at]]
    if (one !== undefined && other !== undefined) return ((one << 24) >> 24) - ((other << 24) >> 24)
  }
  return Buffer.compare(left, right)
}

function keyOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}

function copyOf(data: Data): Data {
  return new Map([...data].map(([table, rows]) => [table, new Map(rows)]))
}

function replace(data: Data, by: Data): void {
  for (const [table, rows] of by) data.set(table, rows)
}
