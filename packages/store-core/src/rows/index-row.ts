/** A row of the table `index` that a record has. */
export interface IndexRow {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

const EMPTY = new Uint8Array(0)

/** Makes rows that say everything with their keys. */
export function keyRows(keys: readonly Uint8Array[]): IndexRow[] {
  return keys.map((key) => ({ key, value: EMPTY }))
}
