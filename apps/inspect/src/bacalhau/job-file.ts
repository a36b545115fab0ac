import {
  type JobParts,
  keyText,
  type Note,
  orDamaged,
  readJob,
  type Tell,
  takeStoredJob,
  type WholeBacalhauJob,
} from '@saltcod/bacalhau-records'
import { holds, type JobsFile } from './bacalhau-files.ts'
import { damagedPage } from './bacalhau-records.ts'
import { type JobStep, type WalkParts, walkExecutionsOf, walkJobs } from './job-walk.ts'
import { isShortId } from './stored-record.ts'

/** As many matches of a short id are told. */
const MAX_MATCHES = 20
/** Of so many records that cannot be read it is found out why. */
const MAX_REASONS = 1_000

/** The jobs of one file of a requester, without those that a newer generation of it has. */
export class JobFile {
  readonly file: JobsFile
  readonly #newer: readonly JobsFile[]
  readonly #tell: Tell
  readonly #unreadable = new Set<string>()
  #read: { readonly key: string; readonly whole: WholeBacalhauJob | null } | undefined
  #readAll: { readonly id: string; readonly whole: WholeBacalhauJob | null } | undefined

  constructor(file: JobsFile, newer: readonly JobsFile[], tell: Tell) {
    this.file = file
    this.#newer = newer
    this.#tell = tell
  }

  /** Yields the heads of every job, in the order of their ids. */
  async *walk(parts: WalkParts): AsyncGenerator<JobStep> {
    for await (const step of walkJobs(this.file, parts, this.#tell)) {
      if (await this.#isInNewer(step.id)) continue
      await this.#tellUnreadable(step)
      yield step
    }
  }

  /** Yields those of one job and its records. */
  async *walkJob(id: string): AsyncGenerator<JobStep> {
    if (await this.#isInNewer(id)) return
    for await (const step of walkExecutionsOf(this.file, id, this.#tell)) {
      await this.#tellUnreadable(step)
      yield step
    }
  }

  /**
   * Reads a job; `null` where there is none, or none that can be read. It may be more of it than was asked for: the
   * last one that was read is kept.
   */
  async read(id: string, parts: JobParts): Promise<WholeBacalhauJob | null> {
    const key = JSON.stringify([id, parts])
    if (this.#readAll?.id === id) return this.#readAll.whole
    if (this.#read?.key === key) return this.#read.whole
    const whole = (await this.#isInNewer(id)) ? null : await this.#readWhole(id, parts)
    if (parts === 'all') this.#readAll = { id, whole }
    else this.#read = { key, whole }
    return whole
  }

  /** Finds the ids of jobs that begin with a text. */
  async idsFrom(text: string): Promise<readonly string[]> {
    if (!isShortId(text)) return []
    return await this.#keysFrom('jobs', text)
  }

  /** Finds the ids of executions that are a text or begin with it, each with its job. */
  async executionsFrom(text: string): Promise<ReadonlyMap<string, string>> {
    const ids = isShortId(text) ? await this.#keysFrom('idx_executions', text) : [text]
    const found = new Map<string, string>()
    for (const id of ids) {
      const jobId = await this.file.bolt.read((snapshot) => {
        // Whoever misses one goes through all jobs, and is told there.
        return orDamaged(
          () => {
            const [first] = snapshot.bucket(['idx_executions', id])?.keys({ limit: 1 }) ?? []
            const job = first === undefined ? undefined : keyText(first.key)
            return job !== undefined && snapshot.bucket(['jobs', job, 'executions'])?.get(id) !== undefined
              ? job
              : undefined
          },
          () => {},
        )
      })
      if (jobId !== undefined && !(await this.#isInNewer(jobId))) found.set(id, jobId)
    }
    return found
  }

  async #keysFrom(bucket: string, text: string): Promise<string[]> {
    return await this.file.bolt.read((snapshot) => {
      const found: string[] = []
      const range = { from: text, limit: MAX_MATCHES, onDamage: () => {} }
      const within = orDamaged(() => snapshot.bucket([bucket]), range.onDamage)
      for (const { key } of within?.keys(range) ?? []) {
        if (!keyText(key).startsWith(text)) break
        found.push(keyText(key))
      }
      return found
    })
  }

  async #readWhole(id: string, parts: JobParts): Promise<WholeBacalhauJob | null> {
    const { numbering } = this.file.layout
    const taken = await this.file.bolt.read((snapshot) => {
      const notes: Note[] = []
      const bucket = orDamaged(
        () => snapshot.bucket(['jobs', id]),
        ({ what }) => notes.push(damagedPage('job', 'jobs', what)),
      )
      if (bucket === undefined) return { stored: null, notes }
      return { stored: takeStoredJob(id, bucket, { parts, numbering }, (note) => notes.push(note)), notes }
    })
    for (const note of taken.notes) this.#tell(note)
    if (taken.stored === null) return null
    // What is concluded of its history matters to whoever sees that.
    const tell: Tell = (note) => {
      if (parts === 'all' || note.code !== 'history-conclusion') this.#tell(note)
    }
    return readJob(taken.stored, numbering, tell)
  }

  /** Reading one whole tells why it cannot be read. */
  async #tellUnreadable({ id, job, unreadable }: JobStep): Promise<void> {
    const isNew = (job === null || unreadable.length > 0) && !this.#unreadable.has(id)
    if (!isNew || this.#unreadable.size >= MAX_REASONS) return
    this.#unreadable.add(id)
    await this.#readWhole(id, job === null ? 'job' : 'all')
  }

  async #isInNewer(id: string): Promise<boolean> {
    for (const { bolt } of this.#newer) {
      if (await holds(bolt, (snapshot) => snapshot.bucket(['jobs', id]) !== undefined)) return true
    }
    return false
  }
}
