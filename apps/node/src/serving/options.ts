import type { Config } from '@saltcod/config'
import type { Json } from '@saltcod/store-core'
import type { Logger } from 'pino'

/** What a node is made of. */
export interface NodeOptions {
  readonly config: Config
  readonly nodeId: string
  /** Each store is worked with whatever the other one remembers of it. Default: false. */
  readonly acceptStores?: boolean
  /** The configuration as the API may show it. */
  readonly shownConfig: () => Json
  /** The token to join with that a variable holds; absent where none does. */
  readonly joinToken?: string | undefined
  readonly log: Logger
  /** Gives the start up. */
  readonly signal: AbortSignal
}
