/** What a node lets its jobs bring in. */
export interface InputPolicy {
  /** Directories (or single files) from which local inputs may come, compared by real path. None by default. */
  readonly allowedPaths: readonly string[]
  /**
   * Hosts (`name` or `name:port`) whose addresses may be private or loopback ones. Public addresses need no
   * entry.
   */
  readonly allowHosts: readonly string[]
  /** The most that all inputs of one task may hold. */
  readonly maxBytes: number
  /** The most files and directories that all inputs of one task may hold. */
  readonly maxEntries: number
  /** Time for one download, redirects included. */
  readonly downloadTimeMs: number
  readonly maxRedirects: number
}

/** Nothing local, nothing from private networks, at most 1 GiB and 5 minutes for each download. */
export const DEFAULT_INPUT_POLICY: InputPolicy = {
  allowedPaths: [],
  allowHosts: [],
  maxBytes: 1024 ** 3,
  maxEntries: 100_000,
  downloadTimeMs: 300_000,
  maxRedirects: 5,
}
