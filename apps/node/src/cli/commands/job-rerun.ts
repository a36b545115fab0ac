import type { Terminal } from '@saltcod/cli-kit'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { type WaitOptions, waitForJob } from '../job-wait.ts'

/** Options of `job rerun`. */
export interface JobRerunOptions extends JobFlags, WaitOptions {
  readonly wait: boolean
  readonly version?: number
}

/**
 * Runs a job again and, unless told otherwise, waits until it has ended (or, if it should run for ever, until it
 * runs).
 */
export async function jobRerun(terminal: Terminal, id: string, options: JobRerunOptions): Promise<void> {
  const client = clientFor(terminal, options)
  const { JobID, JobVersion } = await client.rerunJob(id, options.version, {
    namespace: options.namespace,
  })
  terminal.out(
    options.idOnly === true ? `${JobID}\n` : `Job ${JobID} runs again, as version ${JobVersion}.\n`,
  )
  if (options.wait) await waitForJob(terminal, client, { id: JobID, version: JobVersion }, options)
}
