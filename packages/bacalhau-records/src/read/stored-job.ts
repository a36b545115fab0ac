import { type Tell, UnreadableRecord } from './note.ts'
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

/**
 * Takes the texts of a job out of its bucket, so that they outlast the snapshot. What cannot be read is told of, where
 * there is somebody to be told; else the bucket throws.
 */
export function takeStoredJob(
  id: string,
  bucket: Bucket,
  { parts, numbering }: { readonly parts: JobParts; readonly numbering: Numbering },
  tell: Tell | null,
): StoredJob {
  const values = (name: string, wanted: boolean): StoredValue[] =>
    wanted
      ? valuesOf(bucket.bucket(name), tell === null ? null : damageTeller(`jobs/${id}/${name}`, id, tell))
      : []
  const spec = bucket.get('spec')
  const all = parts === 'all'
  const withHistory = all || parts === 'history'
  const withExecutions = all || parts === 'executions' || typeof parts === 'object'
  // By which numbers the states of executions are written is told by an older history, where there is one.
  const executionHistory = values(
    'execution_history',
    withHistory || (withExecutions && numbering === 'later'),
  )
  return {
    id,
    spec: spec === undefined ? null : textOf(spec),
    versions: values('versions', parts !== 'job'),
    executions:
      typeof parts === 'object'
        ? valuesUnder(bucket.bucket('executions'), parts.executions)
        : values('executions', withExecutions),
    evaluations: values('evaluations', all),
    jobHistory: values('job_history', withHistory),
    executionHistory,
    history: values('history', withHistory || executionHistory.length > 0),
  }
}

function valuesUnder(bucket: Bucket | undefined, keys: readonly string[]): StoredValue[] {
  return keys.flatMap((key) => {
    const value = bucket?.get(key)
    return value === undefined ? [] : [{ key, json: textOf(value) }]
  })
}

/** Reads the values of a bucket; there are none where there is no bucket. */
export function valuesOf(
  bucket: Bucket | undefined,
  onDamage: ((damage: { readonly what: string }) => void) | null,
): StoredValue[] {
  const found: StoredValue[] = []
  if (bucket === undefined) return found
  for (const { key, value } of bucket.rows(onDamage === null ? {} : { onDamage })) {
    if (value !== null) found.push({ key: keyText(key), json: textOf(value) })
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
