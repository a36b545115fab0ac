import type { ResultPath } from '@saltcod/bacalhau-records'
import type { Json } from '@saltcod/store-core'

/** Something in a result directory that was left out, with the reason. */
export interface SkippedResult {
  readonly path: string
  readonly reason: string
}

/** What lies in published results. */
export interface ResultManifest {
  readonly files: number
  readonly bytes: number
  /** Only known to the call that published: links and other things that are not files. */
  readonly skipped: readonly SkippedResult[]
}

/** Published results, or the answer that there is nothing left to publish. */
export type PublishAnswer =
  | { readonly status: 'published'; readonly directory: string; readonly manifest: ResultManifest }
  | { readonly status: 'results-lost'; readonly reason: string }

/** What is to be published. */
export interface PublishOptions {
  readonly executionId: string
  readonly workDir: string
  /** The directory that holds the published results of all executions; made when missing. */
  readonly resultsDir: string
  readonly results: readonly ResultPath[]
  /** Left out: taken from the exit record of the work directory. */
  readonly exitCode?: number | null
  /** The most that the results may hold, logs included. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

/** Puts what runs leave behind where it can be had. */
export interface Publisher<Params = unknown> {
  /**
   * Publishes what a run left behind, whole or not at all; what is published already stays. Throws a `TaskError`
   * `RESULTS_TOO_LARGE` beyond the limits. The work directory is left alone.
   */
  publish(options: PublishOptions, params: Params): Promise<PublishAnswer>
  /** Says where published results are, as it is recorded with their execution. */
  resultOf(where: { readonly nodeId: string; readonly executionId: string }, manifest: ResultManifest): Json
}
