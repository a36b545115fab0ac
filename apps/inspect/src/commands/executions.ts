import { type Column, localTime, RowPrinter, shortId, span, type Terminal } from '@saltcod/cli-kit'
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
import { parsePointInTime } from '../cli/point-in-time.ts'
import { messageText, rfcTime } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import type { RecordSource } from '../source/record-source.ts'
import { openPlace } from '../store/archive.ts'
import { isArchiveCursor, readArchivedRows } from '../store/archived-rows.ts'
import { exitCodeText } from '../store/exit-code-of.ts'
import { findJobId } from '../store/find-record.ts'
import { isCompute } from '../store/is-compute.ts'
import { executionRow } from '../store/rows.ts'
import { Secrets, secretsOfExecution } from '../store/secrets.ts'
import { StorePages, tellMore } from '../store/store-pages.ts'

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
  const place = await openPlace(terminal, store, others.archive)
  const options: Options =
    job === undefined
      ? others
      : { ...others, jobId: await findJobId(place, job, others.namespace ?? 'default') }
  const printer = new RowPrinter<Listed>(
    terminal,
    options.output,
    place.tellsSource ? [...columns(options), SOURCE] : columns(options),
    place.tellsSource
      ? ({ execution, secrets, source }) => ({ ...executionRow(execution, secrets), source })
      : ({ execution, secrets }) => executionRow(execution, secrets),
  )
  const listedIn = async (opened: RecordSource, items: readonly AnyExecution[]): Promise<Listed[]> => {
    const listed: Listed[] = []
    const secrets = new SecretsOfExecutions(opened, options.output)
    for (const execution of items) {
      const fits =
        execution.createdAtMs >= sinceMs &&
        (options.namespace === undefined || namespaceOf(execution) === options.namespace) &&
        (options.type === undefined || options.type.includes(await typeOf(opened, execution)))
      if (fits) listed.push({ execution, secrets: await secrets.of(execution), source: opened.path })
    }
    return listed
  }
  const { limit, cursor: start } = pagingOf(options)
  const reverse = options.oldestFirst !== true
  const pages = new StorePages(terminal, { limit, cursor: start })
  let code: ExitCode | undefined
  let missing: ExitCode | undefined
  if (place.sources !== null && !isArchiveCursor(start)) {
    code = await place.sources.each(async (opened, total) => {
      const read = await reader(opened, options)
      if (read === null) return
      const met = await pages.read(
        opened.storeId,
        total === 1,
        async (request) => {
          const page = await read({ ...request, reverse })
          return { ...page, items: await listedIn(opened, page.items) }
        },
        (listed) => printer.add(listed),
      )
      const whole = { kind: 'execution', states: options.state, met, read } as const
      if (isCounted(options)) missing = (await opened.tellMissing(terminal, whole)) ?? missing
    })
    printer.flush()
    pages.end()
  }
  const { archive } = place
  if (archive !== null && pages.more === null && options.inProgress !== true) {
    const behind = await readArchivedRows<Listed>(
      { ...place, archive },
      {
        limit,
        cursor: isArchiveCursor(start) ? start : undefined,
        reverse,
        wanted: ({ namespace }) => options.namespace === undefined || options.namespace === namespace,
        select: async (opened) => await listedIn(opened, await allExecutions(opened, options, reverse)),
      },
      (listed) => printer.add(listed),
    )
    printer.flush()
    tellMore(terminal, behind)
  }
  printer.end('no executions fit')
  return code ?? missing
}

function isCounted({ jobId, node, namespace, type, since, inProgress }: Options): boolean {
  return [jobId, node, namespace, type, since, inProgress].every((filter) => filter === undefined)
}

/** The options once it is known which job is meant. */
interface Options extends Omit<ExecutionsOptions, 'job'> {
  readonly jobId?: string
}

interface Listed {
  readonly execution: AnyExecution
  readonly secrets: Secrets
  /** The store or the archive that it is in. */
  readonly source: string
}

const SOURCE: Column<Listed> = { name: 'FROM', value: ({ source }) => source }

/** Finds the secrets of jobs, each job's once; where no column shows what jobs wrote, there is nothing to find. */
class SecretsOfExecutions {
  readonly #opened: RecordSource
  readonly #isNeeded: boolean
  readonly #known = new Map<string, Secrets>()

  constructor(opened: RecordSource, output: ListOptions['output']) {
    this.#opened = opened
    this.#isNeeded = output !== 'table' && output !== 'csv'
  }

  async of(execution: AnyExecution): Promise<Secrets> {
    const key = isCompute(execution) ? execution.id : execution.jobId
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const secrets = this.#isNeeded ? await secretsOfExecution(this.#opened, execution) : new Secrets()
    this.#known.set(key, secrets)
    return secrets
  }
}

async function allExecutions(
  opened: RecordSource,
  options: Options,
  reverse: boolean,
): Promise<AnyExecution[]> {
  const found: AnyExecution[] = []
  const read = await reader(opened, options)
  let cursor: string | null = null
  while (read !== null) {
    const page: Page<AnyExecution> = await read({ limit: 1_000, cursor, reverse })
    found.push(...page.items)
    cursor = page.next
    if (cursor === null) break
  }
  return found
}

/** Returns what reads a page; `null` where no execution of the store can fit. */
async function reader(
  opened: RecordSource,
  { state, jobId, node, inProgress }: Options,
): Promise<((request: PageRequest) => Promise<Page<AnyExecution>>) | null> {
  const ofJob = jobId === undefined ? {} : { jobId }
  const progress = inProgress === true ? { inProgress } : {}
  if (opened.kind === 'executions') {
    if (node !== undefined && opened.nodeId !== node) return null
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

async function typeOf(opened: RecordSource, execution: AnyExecution): Promise<JobType> {
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
    { name: 'EXIT', value: ({ execution }) => exitCodeText(execution) },
    { name: 'REASON', value: ({ execution }) => execution.endReason ?? '' },
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
      value: ({ execution: { stateMessage } }) => messageText(stateMessage, { output, wide }),
    },
  ]
}
