import type { Config } from './config.ts'

/** What `findStores` looks for. */
export interface FindStoresOptions {
  readonly config: Config
  readonly nodeId: string
  /** The id was made for this start: nobody gave it, and no file keeps it. Default: false. */
  readonly idIsNew?: boolean
  /** Start empty even beside older data: what would be refused for that reason is a warning. */
  readonly fresh?: boolean
}
