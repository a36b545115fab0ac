import { type Column, localTime, RowPrinter, shortId, type Terminal } from '@saltcod/cli-kit'
import type { HistoryEntry, Page, PageRequest } from '@saltcod/store-core'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { parsePointInTime } from '../cli/point-in-time.ts'
import { messageText, rfcTime } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import type { RecordSource } from '../source/record-source.ts'
import { findArchivedJob, openPlace } from '../store/archive.ts'
import { notFound } from '../store/find-record.ts'
import { isCompute } from '../store/is-compute.ts'
import { orNothing } from '../store/or-nothing.ts'
import { historyRow } from '../store/rows.ts'
import { readPages, tellMore } from '../store/store-pages.ts'

/** Options of `history`. */
export interface HistoryOptions extends ListOptions {
  readonly namespace: string
  readonly since?: string
  readonly archive?: string
}

/** Lists the history of a job, or of an execution. */
export async function history(
  terminal: Terminal,
  store: string,
  id: string,
  options: HistoryOptions,
): Promise<ExitCode | undefined> {
  const sinceMs = options.since === undefined ? undefined : await parsePointInTime(options.since, Date.now())
  const place = await openPlace(terminal, store, options.archive)
  const printer = new RowPrinter<Listed>(
    terminal,
    options.output,
    place.tellsSource ? [...columns(options), SOURCE] : columns(options),
    place.tellsSource
      ? ({ entry, source }) => ({ ...historyRow(entry), source })
      : ({ entry }) => historyRow(entry),
  )
  let found = false
  const visit = async (opened: RecordSource): Promise<void> => {
    const read = await reader(opened, id, options.namespace)
    if (read === null) return
    found = true
    const cursor = await readPages(terminal, pagingOf(options), read, (entry) => {
      if (sinceMs === undefined || entry.atMs >= sinceMs) printer.add({ entry, source: opened.path })
    })
    printer.flush()
    tellMore(terminal, cursor)
  }
  const code = await place.sources?.each(visit)
  if (!found && place.archive !== null) {
    const archived = await findArchivedJob(place.archive, id, options.namespace)
    if (archived !== null) await visit(archived)
  }
  if (!found) throw notFound('job', id, store, `in namespace ${options.namespace}, and no execution`, code)
  printer.end('no history')
  return code
}

interface Listed {
  readonly entry: HistoryEntry
  /** The store or the archive that it is in. */
  readonly source: string
}

const SOURCE: Column<Listed> = { name: 'FROM', value: ({ source }) => source }

type Read = (request: PageRequest) => Promise<Page<HistoryEntry>>

/** Returns what reads a page of the history of whatever has that id; `null` where nothing has. */
async function reader(opened: RecordSource, id: string, namespace: string): Promise<Read | null> {
  if (opened.kind === 'jobs') {
    const { store } = opened
    const job = await orNothing(store.findJob(id, namespace))
    if (job !== undefined) return (request) => store.listHistory({ jobId: job.id, ...request })
    const execution = await orNothing(store.findExecution(id))
    if (execution === undefined) return null
    const { jobId, id: executionIdPrefix } = execution
    return (request) => store.listHistory({ jobId, executionIdPrefix, ...request })
  }
  const { store } = opened
  const execution = await orNothing(store.findExecution(id))
  if (execution === undefined || !isCompute(execution)) return null
  return (request) => store.listHistory({ executionId: execution.id, ...request })
}

function columns({ output, wide }: HistoryOptions): Column<Listed>[] {
  const csv = output === 'csv'
  const whole = csv || wide === true
  return [
    { name: 'TIME', value: ({ entry: { atMs } }) => (csv ? (rfcTime(atMs) ?? '') : localTime(atMs)) },
    { name: 'LEVEL', value: ({ entry: { level } }) => level },
    { name: 'EXECUTION', value: ({ entry: { executionId } }) => shortId(executionId ?? '', whole) },
    { name: 'FROM', value: ({ entry: { previousState } }) => previousState ?? '' },
    { name: 'TO', value: ({ entry: { newState } }) => newState },
    { name: 'REVISION', value: ({ entry: { revision } }) => String(revision) },
    { name: 'TOPIC', value: ({ entry: { event } }) => event.topic },
    { name: 'MESSAGE', value: ({ entry: { event } }) => messageText(event.message, { output, wide: true }) },
  ]
}
