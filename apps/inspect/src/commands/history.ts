import type { HistoryEntry, Page, PageRequest } from '@saltcod/store-core'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { type Column, Listing } from '../cli/output.ts'
import { parsePointInTime } from '../cli/point-in-time.ts'
import type { Terminal } from '../cli/terminal.ts'
import { localTime, rfcTime, shortId } from '../cli/words.ts'
import { notFound, orNothing } from '../store/find-record.ts'
import { eachStore, type OpenedStore } from '../store/open-store.ts'
import { readPages, tellMore } from '../store/pages.ts'
import { historyRow, isCompute } from '../store/rows.ts'

/** Options of `history`. */
export interface HistoryOptions extends ListOptions {
  readonly namespace: string
  readonly since?: string
}

/** Lists the history of a job, or of an execution. */
export async function history(
  terminal: Terminal,
  store: string,
  id: string,
  options: HistoryOptions,
): Promise<undefined> {
  const sinceMs = options.since === undefined ? undefined : await parsePointInTime(options.since, Date.now())
  const listing = new Listing(terminal, options.output, columns(options), historyRow)
  let found = false
  await eachStore(store, async (opened) => {
    const read = await reader(opened, id, options.namespace)
    if (read === null) return
    found = true
    const cursor = await readPages(terminal, pagingOf(options), read, (entry) => {
      if (sinceMs === undefined || entry.atMs >= sinceMs) listing.add(entry)
    })
    listing.flush()
    tellMore(terminal, cursor)
  })
  if (!found) throw notFound('job', id, store, `in namespace ${options.namespace}, and no execution`)
  listing.end('no history')
  return undefined
}

type Read = (request: PageRequest) => Promise<Page<HistoryEntry>>

/** Returns what reads a page of the history of whatever has that id; `null` where nothing has. */
async function reader(opened: OpenedStore, id: string, namespace: string): Promise<Read | null> {
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

function columns({ output, wide }: HistoryOptions): Column<HistoryEntry>[] {
  const csv = output === 'csv'
  const whole = csv || wide === true
  return [
    { name: 'TIME', value: ({ atMs }) => (csv ? (rfcTime(atMs) ?? '') : localTime(atMs)) },
    { name: 'LEVEL', value: ({ level }) => level },
    { name: 'EXECUTION', value: ({ executionId }) => shortId(executionId ?? '', whole) },
    { name: 'FROM', value: ({ previousState }) => previousState ?? '' },
    { name: 'TO', value: ({ newState }) => newState },
    { name: 'REVISION', value: ({ revision }) => String(revision) },
    { name: 'TOPIC', value: ({ event }) => event.topic },
    { name: 'MESSAGE', value: ({ event }) => event.message },
  ]
}
