import {
  type Column,
  Failure,
  localTime,
  RowPrinter,
  shortId,
  span,
  stateStyle,
  type Terminal,
} from '@saltcod/cli-kit'
import type { Archive } from '@saltcod/compaction'
import type { Job, JobQuery, JobState, JobType, Page, PageRequest } from '@saltcod/store-core'
import { parseLabelSelector } from '@saltcod/store-core'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { parsePointInTime } from '../cli/point-in-time.ts'
import { messageText, rfcTime } from '../cli/words.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { openPlace, type Place } from '../store/archive.ts'
import { isArchiveCursor, readArchivedRows } from '../store/archived-rows.ts'
import { jobRow } from '../store/rows.ts'
import { StorePages, tellMore } from '../store/store-pages.ts'

/** Options of `jobs`. */
export interface JobsOptions extends ListOptions {
  readonly state?: readonly JobState[]
  readonly type?: readonly JobType[]
  readonly namespace?: string
  /** Label selectors. */
  readonly labels?: readonly string[]
  readonly since?: string
  readonly inProgress?: boolean
  readonly archive?: string
}

/** Lists jobs. */
export async function jobs(
  terminal: Terminal,
  store: string,
  options: JobsOptions,
): Promise<ExitCode | undefined> {
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
    ...(options.labels === undefined ? {} : { labels: options.labels.flatMap(parseLabelSelector) }),
    ...(options.inProgress === true ? { inProgress: true } : {}),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  }
  const place = await openPlace(terminal, store, options.archive)
  const printer = new RowPrinter(
    terminal,
    options.output,
    place.tellsSource ? [...columns(options), SOURCE] : columns(options),
    place.tellsSource ? ({ job, source }: Listed) => ({ ...jobRow(job), source }) : rowOf,
  )
  const paging = pagingOf(options)
  const pages = new StorePages(terminal, paging)
  let code: ExitCode | undefined
  let missing: ExitCode | undefined
  const counted = [type, options.labels, options.inProgress, sinceMs].every((filter) => filter === undefined)
  if (place.sources !== null && !isArchiveCursor(paging.cursor)) {
    code = await place.sources.eachOfJobs(async (source, total) => {
      const read = (request: PageRequest): Promise<Page<Job>> =>
        source.store.listJobs({ ...query, ...request })
      const met = await pages.read(source.storeId, total === 1, read, (job) =>
        printer.add({ job, source: source.path }),
      )
      const whole = { kind: 'job', states: options.state, namespace: options.namespace, met, read } as const
      if (counted) missing = (await source.tellMissing(terminal, whole)) ?? missing
    })
    printer.flush()
    pages.end()
  }
  if (place.archive !== null && pages.more === null)
    await addArchived(terminal, { ...place, archive: place.archive }, query, options, printer)
  printer.end('no jobs fit')
  return code ?? missing
}

interface Listed {
  readonly job: Job
  /** The store or the archive that it is in. */
  readonly source: string
}

const SOURCE: Column<Listed> = { name: 'FROM', value: ({ source }) => source }

function rowOf({ job }: Listed): unknown {
  return jobRow(job)
}

/** What the archive holds comes after what the stores hold. */
async function addArchived(
  terminal: Terminal,
  place: Place & { readonly archive: Archive },
  query: JobQuery,
  options: JobsOptions,
  printer: RowPrinter<Listed>,
): Promise<void> {
  if (query.inProgress === true) return
  const { limit, cursor } = pagingOf(options)
  const behind = await readArchivedRows<Job>(
    place,
    {
      limit,
      cursor: isArchiveCursor(cursor) ? cursor : undefined,
      reverse: options.oldestFirst !== true,
      wanted: ({ state, namespace }) =>
        (query.states === undefined || query.states.includes(state as JobState)) &&
        (query.namespace === undefined || query.namespace === namespace),
      select: async ({ store }) => (await store.listJobs(query)).items,
    },
    (job) => printer.add({ job, source: place.archive.path }),
  )
  printer.flush()
  tellMore(terminal, behind)
}

function columns({ output, wide }: JobsOptions): Column<Listed>[] {
  const nowMs = Date.now()
  const whole = output === 'csv' || wide === true
  const time = (timeMs: number | null): string => {
    if (timeMs === null) return output === 'csv' ? '' : '-'
    return output === 'csv' ? (rfcTime(timeMs) ?? '') : localTime(timeMs)
  }
  return [
    { name: 'ID', value: ({ job }) => shortId(job.id, whole) },
    { name: 'NAME', value: ({ job }) => job.name },
    { name: 'NAMESPACE', value: ({ job }) => job.namespace },
    { name: 'TYPE', value: ({ job }) => job.type },
    { name: 'STATE', value: ({ job }) => job.state, style: ({ job }) => stateStyle(job.state) },
    {
      name: 'SINCE',
      value: ({ job }) => (output === 'csv' ? time(job.stateSinceMs) : span(nowMs - job.stateSinceMs)),
    },
    { name: 'CREATED', value: ({ job }) => time(job.createdAtMs) },
    { name: 'FINISHED', value: ({ job }) => time(job.finishedAtMs) },
    { name: 'MESSAGE', value: ({ job }) => messageText(job.stateMessage, { output, wide }) },
  ]
}
