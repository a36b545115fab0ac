import { localTime, shortId, span } from '@saltcod/display'
import {
  COMPUTE_STATES,
  type ComputeExecution,
  type ComputeState,
  EXECUTION_STATES,
  type Execution,
  type ExecutionState,
  type JobType,
  type Page,
  type PageRequest,
} from '@saltcod/store-core'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { type Column, Listing } from '../cli/output.ts'
import { parsePointInTime } from '../cli/point-in-time.ts'
import type { Terminal } from '../cli/terminal.ts'
import { rfcTime } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import { openPlace } from '../store/archive.ts'
import { isArchiveCursor, readArchivedRows } from '../store/archived-rows.ts'
import { findJobId } from '../store/find-record.ts'
import { eachStore, type OpenedStore } from '../store/open-store.ts'
import { StorePages, tellMore } from '../store/pages.ts'
import { executionRow, isCompute } from '../store/rows.ts'

/** Options of `executions`. */
export interface ExecutionsOptions extends ListOptions {
  readonly state?: readonly string[]
  readonly job?: string
  readonly node?: string
  readonly namespace?: string
  readonly type?: readonly JobType[]
  readonly since?: string
  readonly inProgress?: boolean
  readonly archive?: string
}

type AnyExecution = Execution | ComputeExecution

/** Lists executions of either store. */
export async function executions(
  terminal: Terminal,
  store: string,
  { job, ...others }: ExecutionsOptions,
): Promise<ExitCode | undefined> {
  const sinceMs = others.since === undefined ? 0 : await parsePointInTime(others.since, Date.now())
  const place = await openPlace(store, others.archive)
  const options: Options =
    job === undefined
      ? others
      : { ...others, jobId: await findJobId(terminal, store, job, others.namespace ?? 'default', place) }
  const shown = (execution: AnyExecution): ReturnType<typeof executionRow> => executionRow(execution, false)
  const listing = new Listing<Listed>(
    terminal,
    options.output,
    place.archive === null ? columns(options) : [...columns(options), SOURCE],
    place.archive === null
      ? ({ execution }) => shown(execution)
      : ({ execution, source }) => ({ ...shown(execution), source }),
  )
  const fitsIn =
    (opened: OpenedStore) =>
    async (execution: AnyExecution): Promise<boolean> =>
      execution.createdAtMs >= sinceMs &&
      (options.namespace === undefined || namespaceOf(execution) === options.namespace) &&
      (options.type === undefined || options.type.includes(await typeOf(opened, execution)))
  const { limit, cursor: start } = pagingOf(options)
  const reverse = options.oldestFirst !== true
  const pages = new StorePages(terminal, { limit, cursor: start })
  let code: ExitCode | undefined
  if (place.store !== null && !isArchiveCursor(start)) {
    code = await eachStore(terminal, place.store, async (opened, total) => {
      const read = await reader(opened, options)
      if (read === null) return
      const fits = fitsIn(opened)
      await pages.read(
        opened.row.storeId,
        total === 1,
        async (request) => {
          const page = await read({ ...request, reverse })
          return { ...page, items: await only(page.items, fits) }
        },
        (execution) => listing.add({ execution, source: opened.path }),
      )
    })
    listing.flush()
    pages.end()
  }
  const { archive } = place
  if (archive !== null && pages.more === null && options.inProgress !== true) {
    const behind = await readArchivedRows<AnyExecution>(
      { ...place, archive },
      {
        limit,
        cursor: isArchiveCursor(start) ? start : undefined,
        reverse,
        wanted: ({ namespace }) => options.namespace === undefined || options.namespace === namespace,
        select: async (opened) => await archivedExecutions(opened, options, reverse, fitsIn(opened)),
      },
      (execution) => listing.add({ execution, source: archive.path }),
    )
    listing.flush()
    tellMore(terminal, behind)
  }
  listing.end('no executions fit')
  return code
}

/** The options once it is known which job is meant. */
interface Options extends Omit<ExecutionsOptions, 'job'> {
  readonly jobId?: string
}

interface Listed {
  readonly execution: AnyExecution
  /** The store or the archive that it is in. */
  readonly source: string
}

const SOURCE: Column<Listed> = { name: 'FROM', value: ({ source }) => source }

async function archivedExecutions(
  opened: OpenedStore,
  options: Options,
  reverse: boolean,
  fits: (execution: AnyExecution) => Promise<boolean>,
): Promise<AnyExecution[]> {
  const found: AnyExecution[] = []
  const read = await reader(opened, options)
  let cursor: string | null = null
  while (read !== null) {
    const page: Page<AnyExecution> = await read({ limit: 1_000, cursor, reverse })
    found.push(...(await only(page.items, fits)))
    cursor = page.next
    if (cursor === null) break
  }
  return found
}

async function only<T>(items: readonly T[], fits: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept: T[] = []
  for (const item of items) if (await fits(item)) kept.push(item)
  return kept
}

/** Returns what reads a page; `null` where no execution of the store can fit. */
async function reader(
  opened: OpenedStore,
  { state, jobId, node, inProgress }: Options,
): Promise<((request: PageRequest) => Promise<Page<AnyExecution>>) | null> {
  const ofJob = jobId === undefined ? {} : { jobId }
  const progress = inProgress === true ? { inProgress } : {}
  if (opened.kind === 'executions') {
    if (node !== undefined && opened.row.nodeId !== node) return null
    const states = (state ?? COMPUTE_STATES).filter((name): name is ComputeState =>
      (COMPUTE_STATES as readonly string[]).includes(name),
    )
    if (states.length === 0) return null
    const ofStates = state === undefined ? {} : { states }
    return (request) => opened.store.listExecutions({ ...progress, ...ofJob, ...ofStates, ...request })
  }
  const states = (state ?? EXECUTION_STATES).filter((name): name is ExecutionState =>
    (EXECUTION_STATES as readonly string[]).includes(name),
  )
  if (states.length === 0) return null
  const ofNode = node === undefined ? {} : { nodeId: node }
  return (request) => opened.store.listExecutions({ ...progress, ...ofJob, ...ofNode, states, ...request })
}

async function typeOf(opened: OpenedStore, execution: AnyExecution): Promise<JobType> {
  if (isCompute(execution)) return execution.job.type
  const job = opened.kind === 'jobs' ? await opened.store.getJob(execution.jobId) : null
  return job?.type ?? 'batch'
}

function namespaceOf(execution: AnyExecution): string {
  return isCompute(execution) ? execution.job.namespace : execution.namespace
}

function columns({ output, wide }: Options): Column<Listed>[] {
  const nowMs = Date.now()
  const csv = output === 'csv'
  const whole = csv || wide === true
  const time = (timeMs: number): string => (csv ? (rfcTime(timeMs) ?? '') : localTime(timeMs))
  return [
    { name: 'ID', value: ({ execution }) => shortId(execution.id, whole) },
    {
      name: 'JOB',
      value: ({ execution }) => shortId(isCompute(execution) ? execution.job.id : execution.jobId, whole),
    },
    {
      name: 'NODE',
      value: ({ execution }) => (isCompute(execution) ? '(this)' : shortId(execution.nodeId, whole)),
    },
    { name: 'STATE', value: ({ execution }) => execution.state },
    {
      name: 'DESIRED',
      value: ({ execution }) => (isCompute(execution) ? '' : execution.desiredState),
    },
    {
      name: 'SINCE',
      value: ({ execution }) => (csv ? time(execution.stateSinceMs) : span(nowMs - execution.stateSinceMs)),
    },
    { name: 'CREATED', value: ({ execution }) => time(execution.createdAtMs) },
    {
      name: 'MESSAGE',
      value: ({ execution: { stateMessage } }) => (whole ? stateMessage : stateMessage.slice(0, 60)),
    },
  ]
}
