import type { Declaration } from '../spec/parameters.ts'
import type { Publisher } from './publisher.ts'

/** A kind of publisher: what a job may say to it, and how a node publishes by it. */
export interface PublisherKind<Params = unknown> extends Declaration<Params> {
  /**
   * True where it publishes after each run: what it has written is a result too. False: only where there are result
   * paths.
   */
  readonly always: boolean
  /** Loads what publishes, so that whoever just reads jobs does without. */
  load(): Promise<Publisher<Params>>
}
