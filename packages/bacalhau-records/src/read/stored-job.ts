import { isStoreError } from '@saltcod/store-core'
import { type Note, type Tell, UnreadableRecord } from './note.ts'
import type { Numbering } from './numbering.ts'

/** A row of a bucket: a key with its value, or the name of a nested bucket with that bucket. */
export interface BucketRow {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  readonly bucket: Bucket | null
}

/** A bucket of a BoltDB file, as a reader of such files has it. */
export interface Bucket {
  rows(range?: {
    readonly limit?: number
    readonly onDamage?: (damage: { readonly what: string }) => void
  }): Iterable<BucketRow>
  get(key: string): Uint8Array | undefined
  bucket(name: string): Bucket | undefined
}

/** A value with the key that it stands under. */
export interface StoredValue {
  readonly key: string
  readonly json: string
}

/** A job with all that belongs to it, as the texts that stand in a file. */
export interface StoredJob {
  readonly id: string
  /** `null` where there is none. */
  readonly spec: string | null
  readonly versions: readonly StoredValue[]
  readonly executions: readonly StoredValue[]
  readonly evaluations: readonly StoredValue[]
  /** Up to v1.4, of the job. */
  readonly jobHistory: readonly StoredValue[]
  /** Up to v1.4, of all its executions. */
  readonly executionHistory: readonly StoredValue[]
  /** Since v1.5, of both. */
  readonly history: readonly StoredValue[]
}

/**
 * What is wanted of a job: by itself, with its history, with all its executions or those of some ids, or all of it.
 */
export type JobParts = 'job' | 'history' | 'executions' | 'all' | { readonly executions: readonly string[] }

/** The longest job that is taken, in bytes: it is in memory as a whole, and takes there about three times as much. */
const MAX_JOB_BYTES = 256 * 1024 * 1024

/** What is wanted of a job, and by which numbers the states of its file are written. */
export interface WantedOfJob {
  readonly parts: JobParts
  readonly numbering: Numbering
  /** Longest job that is taken, in bytes; default 256 MiB. */
  readonly maxBytes?: number
}

/** The buckets of a job. */
const BUCKETS: ReadonlySet<string> = new Set([
  ...['versions', 'executions', 'evaluations', 'job_history', 'execution_history', 'history'],
])

/**
 * Takes the texts of a job out of its bucket, so that they outlast the snapshot. What cannot be read is told of, where
 * there is somebody to be told; else the bucket throws. Of a job that is too long for memory nothing is taken.
 */
export function takeStoredJob(
  id: string,
  bucket: Bucket,
  { parts, numbering, maxBytes = MAX_JOB_BYTES }: WantedOfJob,
  tell: Tell | null,
): StoredJob {
  const budget = new Budget(id, maxBytes, tell)
  const toldAt = (place: string): OnDamage | null => (tell === null ? null : damageTeller(place, id, tell))
  const inner = (name: string): Bucket | undefined =>
    orDamaged(() => bucket.bucket(name), toldAt(`jobs/${id}/${name}`))
  const values = (name: string, wanted: boolean): StoredValue[] => {
    if (!wanted || budget.isSpent) return []
    const place = `jobs/${id}/${name}`
    return valuesOf(inner(name), toldAt(place), budget.at(place))
  }
  const found = orDamaged(() => bucket.get('spec'), toldAt(`jobs/${id}/spec`))
  const spec = found === undefined ? null : textOf(found)
  const all = parts === 'all'
  const withHistory = all || parts === 'history'
  const withExecutions = all || parts === 'executions' || typeof parts === 'object'
  if (all && tell !== null) tellOthers(id, bucket, tell)
  // By which numbers the states of executions are written is told by an older history, where there is one.
  const executionHistory = values(
    'execution_history',
    withHistory || (withExecutions && numbering === 'later'),
  )
  const stored = {
    id,
    spec,
    versions: values('versions', parts !== 'job'),
    executions:
      typeof parts === 'object'
        ? valuesUnder(inner('executions'), parts.executions, toldAt(`jobs/${id}/executions`))
        : values('executions', withExecutions),
    evaluations: values('evaluations', all),
    jobHistory: values('job_history', withHistory),
    executionHistory,
    history: values('history', withHistory || executionHistory.length > 0),
  }
  return budget.isSpent ? { ...EMPTY, id } : stored
}

/** Takes the job itself likewise, with what is told of the bucket as a whole. */
export function takeJobHead(
  id: string,
  bucket: Bucket,
  tell: Tell,
): Pick<StoredJob, 'id' | 'spec' | 'versions'> {
  const { spec } = takeStoredJob(id, bucket, { parts: 'job', numbering: 'later' }, tell)
  tellOthers(id, bucket, tell)
  const place = `jobs/${id}/versions`
  const budget = new Budget(id, MAX_JOB_BYTES, tell)
  const onDamage = damageTeller(place, id, tell)
  const versions = valuesOf(
    orDamaged(() => bucket.bucket('versions'), onDamage),
    onDamage,
    budget.at(place),
  )
  return { id, spec: budget.isSpent ? null : spec, versions }
}

type OnDamage = (damage: { readonly what: string }) => void

const EMPTY = {
  ...{ spec: null, versions: [], executions: [], evaluations: [] },
  ...{ jobHistory: [], executionHistory: [], history: [] },
}

/** Tells of what no release puts into the bucket of a job. */
function tellOthers(id: string, bucket: Bucket, tell: Tell): void {
  for (const { key, value } of bucket.rows({ onDamage: () => {} })) {
    const name = keyText(key)
    const known = value === null ? BUCKETS.has(name) : name === 'spec'
    if (known) continue
    const what = value === null ? 'a bucket that no release makes' : 'a value that no release writes'
    tell(wrongRow('job', id, `jobs/${id}/${name}`, what))
  }
}

/** Counts what a job takes, and what stands where no value should. */
class Budget {
  readonly #id: string
  readonly #maxBytes: number
  readonly #tell: Tell | null
  #bytes = 0

  constructor(id: string, maxBytes: number, tell: Tell | null) {
    this.#id = id
    this.#maxBytes = maxBytes
    this.#tell = tell
  }

  get isSpent(): boolean {
    return this.#bytes > this.#maxBytes
  }

  at(place: string): ValueVisitor {
    return {
      takes: (bytes) => {
        this.#bytes += bytes
        if (!this.isSpent) return true
        const message = `it has more than ${this.#maxBytes} bytes, which is more than is read of one job; it is left out`
        const note = { kind: 'left-out', record: 'job', id: this.#id, place } as const
        this.#tell?.({ ...note, code: 'too-large', message })
        return false
      },
      isBucket: (key) => {
        this.#tell?.(
          wrongRow('job', this.#id, `${place}/${keyText(key)}`, 'a bucket where a value should be'),
        )
      },
    }
  }
}

/** Told of what {@link valuesOf} meets. */
export interface ValueVisitor {
  /** Gets the length of each value; false ends the reading. */
  readonly takes: (bytes: number) => boolean
  /** Gets the key of a bucket that stands where a value should. */
  readonly isBucket: (key: Uint8Array) => void
}

/**
 * Calls it; where a page on the way cannot be read, tells that, if there is somebody to be told, and returns nothing.
 */
export function orDamaged<T>(
  read: () => T,
  onDamage: ((damage: { readonly what: string }) => void) | null,
): T | undefined {
  try {
    return read()
  } catch (error) {
    if (onDamage === null || !isStoreError(error, 'STORE_DAMAGED', 'INVALID_ARGUMENT')) throw error
    onDamage({ what: error.message })
    return undefined
  }
}

/** Makes a note of a row that is of no use where it stands. */
export function wrongRow(record: Note['record'], id: string, place: string, what: string): Note {
  return { kind: 'left-out', record, id, place, code: 'wrong-type', message: `it is ${what}; it is left out` }
}

function valuesUnder(
  bucket: Bucket | undefined,
  keys: readonly string[],
  onDamage: OnDamage | null,
): StoredValue[] {
  return keys.flatMap((key) => {
    const value = orDamaged(() => bucket?.get(key), onDamage)
    return value === undefined ? [] : [{ key, json: textOf(value) }]
  })
}

/** Reads the values of a bucket; there are none where there is no bucket. */
export function valuesOf(
  bucket: Bucket | undefined,
  onDamage: ((damage: { readonly what: string }) => void) | null,
  visitor: ValueVisitor | null = null,
): StoredValue[] {
  const found: StoredValue[] = []
  if (bucket === undefined) return found
  for (const { key, value } of bucket.rows(onDamage === null ? {} : { onDamage })) {
    if (value === null) visitor?.isBucket(key)
    else if (visitor?.takes(value.length) ?? true) found.push({ key: keyText(key), json: textOf(value) })
    else return []
  }
  return found
}

/** Tells of a page of a job's bucket that cannot be read. */
function damageTeller(place: string, id: string, tell: Tell): (damage: { readonly what: string }) => void {
  return ({ what }) =>
    tell({
      kind: 'left-out',
      record: 'job',
      id,
      place,
      code: 'damaged-page',
      message: `${what}; what stood there is left out`,
    })
}

/** Writes a key as text: as it is where it is a text, else as hexadecimal digits. */
export function keyText(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  const text = bytes.toString()
  return /^[\x20-\x7e]+$/.test(text) ? text : `0x${bytes.toString('hex')}`
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

/** Checks that a record stands where its id says. Throws `UnreadableRecord`. */
export function requireOwnPlace(name: string, id: string, wanted: string): void {
  if (id === wanted) return
  throw new UnreadableRecord(
    'wrong-place',
    `its ${name} is ${JSON.stringify(id.slice(0, 80))}, not ${wanted}`,
  )
}
