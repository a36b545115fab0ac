import type { Json } from '@saltcod/store-core'
import type { PublishAnswer, PublishOptions, ResultManifest } from './local/publish-results.ts'

/** Puts what runs leave behind where it can be had. */
export interface Publisher {
  /** Publishes what a run left behind, whole or not at all. Calling it again is harmless. */
  publish(options: PublishOptions): Promise<PublishAnswer>
  /** Says where published results are, as it is recorded with their execution. */
  resultOf(where: { readonly nodeId: string; readonly executionId: string }, manifest: ResultManifest): Json
}
