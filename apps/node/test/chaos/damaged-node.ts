import { cpSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { WireJob, WirePage } from '@saltcod/bacalhau-records'
import { type DamageCase, writeDamaged } from '../../../../test/damaged-file.ts'
import { AttackedNode, type NodeEnd } from './attacked-node.ts'
import { noopJob } from './chaos-jobs.ts'
import { storePaths } from './stores-of.ts'

/** What a node was told to keep, and where its stopped repository lies. */
export interface SoundNode {
  readonly repository: string
  readonly kept: readonly string[]
}

/** How a node on a damaged file ended, and every promise that was broken, as sentences. */
export interface DamagedEnd {
  readonly end: 'refused' | 'failed' | 'served'
  readonly broken: readonly string[]
}

/** Jobs of this namespace are removed. */
const REMOVED = 'removed'
const MAX_ANSWER_MS = 60_000
/** Refused, or failed while it served. */
const DAMAGE_CODES: readonly (number | null)[] = [2, 74]

/** Lets a node do some work and leave its stores in good order. */
export async function makeSoundNode(repository: string, jobs: number): Promise<SoundNode> {
  const node = new AttackedNode(repository)
  await node.start()
  const submit = (namespace: string): Promise<string>[] =>
    Array.from({ length: jobs }, (_, number) => {
      const text = 'x'.repeat(number % 15 === 0 ? 9_000 : 200)
      const labels = number % 4 === 0 ? { team: 'blue' } : {}
      const job = noopJob('batch', `${namespace}-${number}`, 0)
      return node.submit({ ...job, Namespace: namespace, Labels: labels, Meta: { text } })
    })
  const kept = await Promise.all(submit('default'))
  const removed = await Promise.all(submit(REMOVED))
  for (const id of [...kept, ...removed]) await node.until(id, 'Completed')
  const { code } = await node.signal('SIGTERM')
  if (code !== 0) throw new Error(`the sound node ended with ${code}: ${node.log}`)
  return { repository, kept }
}

/** A node that finds one of its stores damaged. */
export class DamagedNode {
  readonly #node: AttackedNode
  readonly #path: string
  readonly #damaged: Buffer
  readonly #kept: readonly string[]
  readonly #broken: string[] = []

  /**
   * Copies a sound node. `unseen` leaves no trace of the damage outside of the file, as a disk does that damages it.
   */
  constructor(sound: SoundNode, repository: string, { damage, seed }: DamageCase, unseen: boolean) {
    cpSync(sound.repository, repository, { recursive: true })
    this.#kept = sound.kept
    this.#node = new AttackedNode(repository)
    const paths = storePaths(repository)
    this.#path = seed % 3 === 0 ? paths.executions : paths.jobs
    writeDamaged(this.#path, this.#path, damage, seed)
    this.#damaged = readFileSync(this.#path)
    for (const path of Object.values(paths)) if (unseen || path !== this.#path) noteUntouched(path)
  }

  /** Starts it, lets it remove some jobs, asks for the others, and stops it. */
  async live(): Promise<DamagedEnd> {
    this.#node.spawn()
    const url = await this.#within(
      'its start',
      this.#node.url().catch(() => null),
    )
    const end = url === null ? await this.#refused() : await this.#served()
    rmSync(this.#node.repository, { recursive: true, force: true })
    return { end, broken: this.#broken }
  }

  async #refused(): Promise<DamagedEnd['end']> {
    const { code, signal } = (await this.#within('its end', this.#node.ended)) ?? (await this.#node.kill())
    const says = this.#node.log.split('\n').filter((line) => line.startsWith('Error: '))
    if (!DAMAGE_CODES.includes(code) || says.length !== 1)
      this.#complain(`it ends with ${signal ?? code} before it serves`)
    // How a store stands to the one that was there before is asked of the open store, and its opening is in it by
    // then.
    const isJudgedOpen = says.some((line) => line.includes('an older copy'))
    if (code === 2 && !isJudgedOpen && !readFileSync(this.#path).equals(this.#damaged))
      this.#complain('it ends with 2, and has written')
    return 'refused'
  }

  async #served(): Promise<DamagedEnd['end']> {
    const gc = await this.#ask('POST', 'saltcod/gc', { namespace: REMOVED, maxCount: 0 })
    if (gc !== null) {
      const list = await this.#ask('GET', 'orchestrator/jobs?namespace=default&limit=1000')
      if (list?.ok === true) await this.#compare((await list.json()) as WirePage<WireJob>)
    }
    const { code, signal } = await this.#stop()
    if (code === 0) return 'served'
    if (!DAMAGE_CODES.includes(code)) this.#complain(`it ends with ${signal ?? code} after it served`)
    return 'failed'
  }

  /** Every job is listed as it was, told of as missing, or told of as damaged. */
  async #compare({ Items, Missing = 0 }: WirePage<WireJob>): Promise<void> {
    const listed = new Map(Items.map((job) => [job.ID, job.State.StateType]))
    let untold = 0
    for (const id of this.#kept) {
      const state = listed.get(id)
      if (state === 'Completed') continue
      if (state !== undefined) this.#complain(`${id} is ${state}`)
      const answer = await this.#ask('GET', `orchestrator/jobs/${id}`)
      if (answer?.status === 404) untold += 1
    }
    if (untold > Missing) this.#complain(`${untold} jobs are gone, and ${Missing} are told of`)
  }

  /** Resolves with `null` where the node is gone. */
  async #ask(method: string, path: string, body?: unknown): Promise<Response | null> {
    return this.#within(
      path,
      this.#node.request(method, path, body).catch(() => null),
    )
  }

  async #stop(): Promise<NodeEnd> {
    return (await this.#within('its end', this.#node.signal('SIGTERM'))) ?? (await this.#node.kill())
  }

  async #within<T>(what: string, promise: Promise<T | null>): Promise<T | null> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => {
        this.#complain(`${what} takes more than a minute`)
        resolve(null)
      }, MAX_ANSWER_MS)
    })
    try {
      return await Promise.race([promise, late])
    } finally {
      clearTimeout(timer)
    }
  }

  #complain(what: string): void {
    this.#broken.push(`${what}: ${this.#node.log.slice(-1_500)}`)
  }
}

/** Makes a note in good order about a file that was copied. */
function noteUntouched(path: string): void {
  const { ctimeNs, ino, birthtimeNs } = lstatSync(path, { bigint: true })
  const note = `${path}.owner`
  const commit = / commit (\d+)/.exec(readFileSync(note, 'latin1'))?.[1] ?? '1'
  writeFileSync(note, `closed ${ctimeNs} commit ${commit} of ${ino}:${birthtimeNs}`.padEnd(95).concat('\n'))
}
