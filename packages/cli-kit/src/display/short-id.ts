const LONG_ID = /^([a-z]-[0-9a-f]{8})-[0-9a-f-]{27}$/

/** Shortens an id that a store made to its first eight digits, unless it is wanted whole; any other text stays. */
export function shortId(id: string, wide: boolean = false): string {
  return wide ? id : (LONG_ID.exec(id)?.[1] ?? id)
}
