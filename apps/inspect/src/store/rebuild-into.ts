import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs'
import { isStoreError, type Json, type StateCount } from '@saltcod/store-core'
import { type DroppedRow, decodeRecord, rebuildStore, type StoreKind } from '@saltcod/store-core/format'
import type { RowSink } from './new-store.ts'

/** What a rebuild left out. */
export interface LeftOut {
  readonly table: string
  readonly key: string
  readonly id: string
  readonly reason: string
}

const MAX_LISTED = 1_000

/** Keeps what a rebuild leaves out in a file of its own, so that nothing is thrown away. */
export class LeftOutFile {
  readonly path: string
  readonly listed: LeftOut[] = []
  count = 0
  #file: number | null = null

  constructor(path: string) {
    this.path = path
  }

  /** Notes a row, with its record where that can be decoded and else with its bytes. */
  add(row: LeftOut & { readonly value?: Uint8Array }): void {
    this.count += 1
    const { value, ...facts } = row
    if (this.listed.length < MAX_LISTED) this.listed.push(facts)
    this.#file ??= openSync(this.path, 'wx', 0o600)
    const kept = value === undefined ? {} : recordOf(row.table, row.key, value)
    writeFileSync(this.#file, `${JSON.stringify({ ...facts, ...kept })}\n`)
  }

  close(): void {
    if (this.#file === null) return
    fsyncSync(this.#file)
    closeSync(this.#file)
  }
}

/** Makes a sound store of the records that a sink has. Resolves with their counts before any were migrated. */
export async function rebuildInto(
  sink: RowSink,
  kind: StoreKind,
  leftOut: LeftOutFile,
): Promise<readonly StateCount[]> {
  await sink.flush()
  return await rebuildStore(sink.kv, {
    kind,
    nowMs: Date.now(),
    onDrop: (row: DroppedRow) => leftOut.add(row),
  })
}

function recordOf(table: string, keyHex: string, value: Uint8Array): { record: Json } | { bytes: string } {
  try {
    return { record: decodeRecord<Json>(table, Buffer.from(keyHex, 'hex'), value) }
  } catch (error) {
    if (!isStoreError(error)) throw error
    return { bytes: Buffer.from(value).toString('hex') }
  }
}
