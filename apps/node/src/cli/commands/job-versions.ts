import type { WireJob } from '@saltcod/bacalhau-records'
import { type Column, type Format, printList, shortId, stateStyle, type Terminal } from '@saltcod/cli-kit'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { timeText } from '../words.ts'

/** Options of `job versions`. */
export interface JobVersionsOptions extends JobFlags {
  readonly output: Format
  readonly wide?: boolean
  readonly hideHeader?: boolean
}

function columns(wide: boolean): readonly Column<WireJob>[] {
  return [
    { name: 'ID', value: (job) => shortId(job.ID, wide) },
    // The time at which the job was first submitted is the same in all of them.
    { name: 'CREATED', value: (job) => timeText(job.ModifyTime) },
    { name: 'VERSION', value: (job) => String(job.Version) },
    { name: 'STATE', value: (job) => job.State.StateType, style: (job) => stateStyle(job.State.StateType) },
  ]
}

/** Lists the versions of a job, the oldest first. */
export async function jobVersions(
  terminal: Terminal,
  id: string,
  options: JobVersionsOptions,
): Promise<void> {
  const { output, wide = false, hideHeader, namespace } = options
  const { Items } = await clientFor(terminal, options).listVersions(id, { namespace })
  printList(terminal, output, Items, columns(wide || output === 'csv'), { hideHeader })
}
