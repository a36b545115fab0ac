import type { Job, JobState, JobType, LabelRequirement } from '@saltcod/store-core'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { type Column, Listing } from '../cli/output.ts'
import { parsePointInTime } from '../cli/point-in-time.ts'
import type { Terminal } from '../cli/terminal.ts'
import { localTime, rfcTime, shortId, span } from '../cli/words.ts'
import { EXIT } from '../exit-code.ts'
import { Failure } from '../failure.ts'
import { eachJobStore } from '../store/open-store.ts'
import { readPages, tellMore } from '../store/pages.ts'
import { jobRow } from '../store/rows.ts'

/** Options of `jobs`. */
export interface JobsOptions extends ListOptions {
  readonly state?: readonly JobState[]
  readonly type?: readonly JobType[]
  readonly namespace?: string
  readonly label?: readonly LabelRequirement[]
  readonly since?: string
  readonly inProgress?: boolean
}

/** Lists jobs. */
export async function jobs(terminal: Terminal, store: string, options: JobsOptions): Promise<undefined> {
  const [type, ...otherTypes] = options.type ?? []
  if (otherTypes.length > 0) {
    throw new Failure(EXIT.usage, 'only one --type can be given', {
      hint: 'list the types one after the other',
    })
  }
  const sinceMs = options.since === undefined ? undefined : await parsePointInTime(options.since, Date.now())
  const query = {
    reverse: options.oldestFirst !== true,
    ...(options.state === undefined ? {} : { states: options.state }),
    ...(type === undefined ? {} : { type }),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.label === undefined ? {} : { labels: options.label }),
    ...(options.inProgress === true ? { inProgress: true } : {}),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  }
  const listing = new Listing(terminal, options.output, columns(options), jobRow)
  await eachJobStore(store, async (opened) => {
    const cursor = await readPages(
      terminal,
      pagingOf(options),
      (request) => opened.store.listJobs({ ...query, ...request }),
      (job) => listing.add(job),
    )
    listing.flush()
    tellMore(terminal, cursor)
  })
  listing.end('no jobs fit')
  return undefined
}

function columns({ output, wide }: JobsOptions): Column<Job>[] {
  const nowMs = Date.now()
  const whole = output === 'csv' || wide === true
  const time = (timeMs: number | null): string => {
    if (timeMs === null) return output === 'csv' ? '' : '-'
    return output === 'csv' ? (rfcTime(timeMs) ?? '') : localTime(timeMs)
  }
  return [
    { name: 'ID', value: (job) => shortId(job.id, whole) },
    { name: 'NAME', value: (job) => job.name },
    { name: 'NAMESPACE', value: (job) => job.namespace },
    { name: 'TYPE', value: (job) => job.type },
    { name: 'STATE', value: (job) => job.state },
    {
      name: 'SINCE',
      value: (job) => (output === 'csv' ? time(job.stateSinceMs) : span(nowMs - job.stateSinceMs)),
    },
    { name: 'CREATED', value: (job) => time(job.createdAtMs) },
    { name: 'FINISHED', value: (job) => time(job.finishedAtMs) },
    { name: 'MESSAGE', value: (job) => (whole ? job.stateMessage : job.stateMessage.slice(0, 60)) },
  ]
}
