import { isDeepStrictEqual } from 'node:util'
import type { Json } from '@saltcod/store-core'

/** One difference between a record of Bacalhau and what stands in a store of ours. */
export interface RecordDifference {
  readonly record: 'job' | 'execution' | 'evaluation' | 'history' | 'compute-execution' | 'compute-history'
  readonly id: string
  /**
   * `missing`: it is not in the store. `added`: it is only there. `otherwise`: a field has another value. The rest is
   * what the reader of the file has told.
   */
  readonly what: 'missing' | 'added' | 'otherwise' | 'left-out' | 'dropped' | 'changed' | 'derived'
  /** The field, or the place in the file. */
  readonly field: string
  readonly before: Json
  readonly after: Json
  /** Why that is as it should be; `null` where nobody knows. */
  readonly reason: string | null
}

/** A record as programs read it. */
export type RecordRow = Readonly<Record<string, Json>>

/** A record of which fields are compared. */
export interface ComparedRecord extends Pick<RecordDifference, 'record' | 'id'> {
  readonly before: RecordRow
  readonly after: RecordRow
  /** Why a field may have another value; `null` where it may not. */
  readonly reasonOf: (field: string) => string | null
}

/** Compares two records field by field. */
export function differencesOf({ record, id, before, after, reasonOf }: ComparedRecord): RecordDifference[] {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return fields.flatMap((field): RecordDifference[] => {
    const [a, b] = [before[field] ?? null, after[field] ?? null]
    if (isDeepStrictEqual(a, b)) return []
    return [{ record, id, what: 'otherwise', field, before: a, after: b, reason: reasonOf(field) }]
  })
}
