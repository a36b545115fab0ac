/** A place in a listing, as opaque text; it belongs to the query that it came from. */
export type PageCursor = string

/** One page of a listing. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Goes on behind the last item; `null` at the end. */
  readonly next: PageCursor | null
  /** Goes back before the first item; `null` at the beginning. */
  readonly previous: PageCursor | null
  /** How many records were looked at; a filter that no index serves stops at 2,000. */
  readonly examined: number
  /**
   * Ids whose record is damaged and was passed over; of a damaged key, which names none, its bytes as `0x` and
   * hexadecimal digits.
   */
  readonly quarantined: readonly string[]
}

/** How much of a listing, and which way. */
export interface PageRequest {
  /** 1 to 1,000. Default 100. */
  readonly limit?: number
  /** The other way round. Default false. */
  readonly reverse?: boolean
  readonly cursor?: PageCursor | null
}
