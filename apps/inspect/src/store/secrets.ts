import {
  type ComputeExecution,
  type Execution,
  isStoreError,
  type JobStore,
  type Json,
} from '@saltcod/store-core'
import { decodeRecord, readableRecord, type StoreKind, storedRecord } from '@saltcod/store-core/format'
import type { RecordSource } from '../source/record-source.ts'
import { eachRow } from './bucket-rows.ts'
import { isCompute } from './is-compute.ts'
import type { OpenedStore } from './open-store.ts'
import { orNothing } from './or-nothing.ts'
import { REDACTED, redact } from './redact.ts'

/** Shorter values are words that stand in many a text. */
const MIN_LENGTH = 6
/** What a job wrote, under its name in the model and on the wire. */
const RUN_OUTPUT = /^runOutput$/i

/** The values that are hidden in specifications, so that they are hidden too where a job wrote them out. */
export class Secrets {
  /** By their first characters, so that a long text is searched once whatever their number. */
  readonly #byStart = new Map<string, string[]>()

  /** Adds what is hidden in a specification. */
  add(spec: Json): this {
    redact(spec, (text) => {
      if (text.length < MIN_LENGTH) return
      const start = text.slice(0, MIN_LENGTH)
      const known = this.#byStart.get(start) ?? []
      if (known.includes(text)) return
      // The longest first: one may begin with another.
      this.#byStart.set(
        start,
        [...known, text].sort((a, b) => b.length - a.length),
      )
    })
    return this
  }

  /** Returns a copy of a JSON value in whose texts none of the secrets stands. */
  blank(value: Json): Json {
    if (this.#byStart.size === 0) return value
    if (typeof value === 'string') return this.#blankText(value)
    if (Array.isArray(value)) return value.map((item) => this.blank(item as Json))
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.blank(inner as Json)]))
  }

  /** Redacts a record of a table, and what a job wrote in it; its names stay those on disk. */
  redactRow(kind: StoreKind, table: string, record: Json): Json {
    const readable = readableRecord(kind, table, record)
    return storedRecord(kind, table, this.blankOutputs(redact(readable)))
  }

  /** Returns a copy of a JSON value in which none of the secrets stands in what a job wrote. */
  blankOutputs(value: Json): Json {
    if (Array.isArray(value)) return value.map((item) => this.blankOutputs(item as Json))
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        RUN_OUTPUT.test(name) ? this.blank(inner as Json) : this.blankOutputs(inner as Json),
      ]),
    )
  }

  #blankText(text: string): string {
    let blanked = ''
    let from = 0
    for (let at = 0; at + MIN_LENGTH <= text.length; at += 1) {
      const candidates = this.#byStart.get(text.slice(at, at + MIN_LENGTH))
      const found = candidates?.find((secret) => text.startsWith(secret, at))
      if (found === undefined) continue
      blanked += `${text.slice(from, at)}${REDACTED}`
      from = at + found.length
      at = from - 1
    }
    return from === 0 ? text : blanked + text.slice(from)
  }
}

/** Collects the secrets of all versions of a job. */
export async function secretsOfJob(
  store: Pick<JobStore, 'listJobVersions'>,
  jobId: string,
): Promise<Secrets> {
  const secrets = new Secrets()
  for (const { spec } of (await orNothing(store.listJobVersions(jobId))) ?? []) secrets.add(spec as Json)
  return secrets
}

/** Collects the secrets of the job of an execution, as far as the store knows it. */
export async function secretsOfExecution(
  { kind, store }: RecordSource,
  execution: Execution | ComputeExecution,
): Promise<Secrets> {
  if (isCompute(execution)) return new Secrets().add(execution.job.spec as Json)
  return kind === 'jobs' ? await secretsOfJob(store, execution.jobId) : new Secrets()
}

/**
 * Collects the secrets of all specifications of a store, beside known ones. Damaged specifications are passed over.
 */
export function secretsOfStore(
  { kind, kv }: Pick<OpenedStore, 'kind' | 'kv'>,
  secrets: Secrets = new Secrets(),
): Secrets {
  eachRow(kv, { table: 'specs', prefix: new Uint8Array(0) }, null, ({ key, value }) => {
    try {
      secrets.add(readableRecord(kind, 'specs', decodeRecord<Json>('specs', key, value)))
    } catch (error) {
      if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
    }
    return true
  })
  return secrets
}
