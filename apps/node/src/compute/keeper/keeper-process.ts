import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { within } from '../../waiting/time-limit.ts'
import { AnswerWatch } from './answer-watch.ts'
import { childProgram } from './child-program.ts'
import type { ExitRecord } from './exit-record.ts'
import { KEEPER_VARIABLE } from './marker.ts'
import { bootId, readProcess } from './process-table.ts'
import {
  type FromKeeper,
  type Isolation,
  type Launch,
  Messages,
  type Shelter,
  type ToKeeper,
} from './protocol.ts'
import type { RunningProcess } from './running-process.ts'
import type { Patience } from './silence.ts'
import { stopWatch } from './stop-watch.ts'

const ERROR_TEXT_LENGTH = 2_000
/** For a keeper to end by itself when its node wants it no more; it first ends what still runs. */
const FAREWELL_MS = 15_000

/**
 * Else the collector of a keeper with much to do takes 30 MiB for what is dead at once; a smaller part of the heap
 * costs it no more time.
 */
const SMALL_HEAP = '--max-semi-space-size=1'

const NO_SHELTER: Shelter = { isolation: 'none', controllers: [] }

/** How a run ended for its keeper: with a record, by what the machine refuses, or with the keeper itself. */
export type RunEnd =
  | { readonly kind: 'done'; readonly record: ExitRecord | null }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'keeper-gone' }

/** A run that a keeper has its orders for. */
export interface OrderedRun {
  readonly number: number
  /** Resolves when nothing of the run is left, or the keeper is gone. */
  readonly ended: Promise<RunEnd>
}

/** One keeper from its start to its end, as its node sees it. */
export class KeeperProcess {
  /** What is recorded for a run, so that a later start can prove that its keeper is dead. */
  readonly identity: RunningProcess
  readonly #child: ChildProcess
  readonly #watch: AnswerWatch
  readonly #runs = new Map<number, (end: RunEnd) => void>()
  #count = 0
  #gone = false
  #runners = { started: 0, retired: 0 }
  #tellShelter: (shelter: Shelter) => void = () => undefined
  #errors = ''

  /** Starts a keeper for the runs of one place; throws where the machine refuses another process. */
  constructor(place: string, patience: Patience) {
    const child = spawn(process.execPath, [SMALL_HEAP, childProgram(import.meta.url, 'keeper-main')], {
      cwd: '/',
      detached: true,
      // Nothing of the node's own environment, which may hold secrets and NODE_OPTIONS.
      env: { PATH: process.env['PATH'] ?? '', [KEEPER_VARIABLE]: place },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    child.once('error', (error) => {
      this.#errors = error.message
    })
    // A keeper that died shows as its exit, not as a broken pipe.
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on('error', () => undefined)
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_TEXT_LENGTH)
    })
    const messages = new Messages<FromKeeper>()
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const message of messages.take(text)) this.#hear(message)
    })
    this.#watch = new AnswerWatch(child, () => this.#send({ kind: 'ask' }), patience)
    void this.#watch.ended.then(() => this.#end())
    const entry = child.pid === undefined ? undefined : readProcess(child.pid)
    if (child.pid === undefined || entry === undefined) {
      throw new Error('No keeper could be started for the runs of this node; see its limits of processes.')
    }
    this.identity = { pid: child.pid, startTime: entry.startTime, pgid: child.pid, bootId: bootId() }
    stopWatch.watch(child)
    this.#hold(false)
  }

  /** True when it takes no orders any more. */
  get gone(): boolean {
    return this.#gone
  }

  /** Says in a few words why it is gone. */
  get why(): string {
    if (this.#watch.lost) return this.#watch.silence
    return this.#errors === '' ? 'its keeper was killed' : `its keeper ended: ${this.#errors.trim()}`
  }

  /** True when it was killed because it did not answer. */
  get hung(): boolean {
    return this.#watch.lost
  }

  /** Gives the orders for one run, which begins at once; one that is gone begins nothing. */
  launch(launch: Launch): OrderedRun {
    this.#count += 1
    const number = this.#count
    if (this.#gone) return { number, ended: Promise.resolve({ kind: 'keeper-gone' }) }
    const ended = new Promise<RunEnd>((resolve) => {
      this.#runs.set(number, resolve)
    })
    this.#hold(true)
    this.#send({ kind: 'launch', run: number, launch })
    return { number, ended }
  }

  /** Ends a run. */
  cancel(run: number): void {
    this.#send({ kind: 'cancel', run })
  }

  /** How many processes for guests it has started and given up. */
  get runners(): { readonly started: number; readonly retired: number } {
    return this.#runners
  }

  /** Asks what native jobs can have of what is wanted for them; nothing where the keeper is gone. */
  async shelter(isolation: Isolation): Promise<Shelter> {
    this.#hold(true)
    const answer = new Promise<Shelter>((resolve) => {
      this.#tellShelter = resolve
    })
    this.#send({ kind: 'probe', isolation })
    const shelter = await Promise.race([answer, this.#watch.ended.then(() => NO_SHELTER)])
    if (this.#runs.size === 0) this.#hold(false)
    return shelter
  }

  /**
   * Closes the pipe, at which the keeper ends all runs and itself; resolves when it is gone, or was killed and does
   * not go.
   */
  async close(): Promise<void> {
    this.#hold(true)
    this.#child.stdin?.end()
    if (await within(FAREWELL_MS, this.#watch.ended)) return
    this.#child.kill('SIGKILL')
    // One that waits for a disk ends when that answers.
    await within(FAREWELL_MS, this.#watch.ended)
  }

  #send(message: ToKeeper): void {
    if (!this.#gone) this.#child.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  #hear(message: FromKeeper): void {
    if (message.kind === 'here') return
    if (message.kind === 'shelter') {
      this.#tellShelter(message.shelter)
      return
    }
    if (message.kind === 'runners') {
      this.#runners = message
      return
    }
    const { run } = message
    if (message.kind === 'refused') this.#forget(run, { kind: 'refused', message: message.message })
    else this.#forget(run, { kind: 'done', record: message.record })
  }

  #forget(run: number, end: RunEnd): void {
    this.#runs.get(run)?.(end)
    this.#runs.delete(run)
    if (this.#runs.size === 0) this.#hold(false)
  }

  #end(): void {
    this.#gone = true
    for (const run of this.#runs.keys()) this.#forget(run, { kind: 'keeper-gone' })
  }

  /** Keeps this process from ending by itself while a run is looked after, and only then. */
  #hold(held: boolean): void {
    const { stdin, stdout, stderr } = this.#child
    for (const part of [this.#child, stdin as Socket, stdout as Socket, stderr as Socket]) {
      if (held) part.ref()
      else part.unref()
    }
  }
}
