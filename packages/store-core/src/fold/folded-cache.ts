import { decodeFolded, type TextRow } from './folded-record.ts'
import type { FoldLayout } from './layout.ts'

/** The most records that are kept taken apart, as many as one snapshot of a check reads, and the most text in them. */
const MAX_KEPT = 1_024
const MAX_KEPT_CHARACTERS = 4 * 1024 * 1024

interface Kept {
  readonly record: Uint8Array
  readonly rows: readonly TextRow[]
  readonly characters: number
}

/**
 * Keeps the records that were taken apart last, since whoever looks at a finished job mostly asks several times. An
 * entry is used only for the very bytes that it was made of, so it is right whatever was written meanwhile.
 */
export class FoldedCache {
  readonly #layout: FoldLayout
  /** By key, the oldest first. */
  readonly #kept = new Map<string, Kept>()
  #characters = 0

  constructor(layout: FoldLayout) {
    this.#layout = layout
  }

  /** Takes a folded record apart. Throws `RECORD_CORRUPT`. */
  rowsOf(key: Uint8Array, record: Uint8Array): readonly TextRow[] {
    const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
    const known = this.#kept.get(name)
    if (known !== undefined && Buffer.compare(known.record, record) === 0) return known.rows
    const rows = decodeFolded(this.#layout, key, record)
    this.#keep(name, Uint8Array.from(record), rows)
    return rows
  }

  #keep(name: string, record: Uint8Array, rows: readonly TextRow[]): void {
    this.#drop(name)
    const characters = rows.reduce((sum, { text }) => sum + text.length, 0)
    this.#kept.set(name, { record, rows, characters })
    this.#characters += characters
    while (this.#kept.size > MAX_KEPT || this.#characters > MAX_KEPT_CHARACTERS) {
      const [oldest] = this.#kept.keys()
      if (oldest === undefined) return
      this.#drop(oldest)
    }
  }

  #drop(name: string): void {
    this.#characters -= this.#kept.get(name)?.characters ?? 0
    this.#kept.delete(name)
  }
}
