import { countOf, Failure, localTime, RowPrinter, shortId, type Terminal } from '@saltcod/cli-kit'
import type { Change, ChangeSet, FeedPage } from '@saltcod/store-core'
import { tuple } from '@saltcod/store-core/format'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { parsePointInTime } from '../cli/point-in-time.ts'
import { rfcTime } from '../cli/words.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { locateStore } from '../store/locate.ts'
import { type OpenedStore, openStore } from '../store/open-store.ts'

/** Options of `changes`. */
export interface ChangesOptions extends ListOptions {
  readonly follow?: boolean
  readonly since?: string
  readonly reverse?: boolean
}

interface ChangeRow extends Change {
  readonly sequence: number
  readonly atMs: number
}

const PAGE = 1_000
const MOST_DAMAGED = 10_000

/** Prints the change feed, oldest first or in reverse, and follows it where that is wanted. */
export async function changes(
  terminal: Terminal,
  store: string,
  options: ChangesOptions,
): Promise<ExitCode | undefined> {
  if (options.follow === true && options.output === 'json') {
    throw new Failure(EXIT.usage, '--follow has no end, so it cannot print one JSON document', {
      hint: 'use --output ndjson',
    })
  }
  if (options.follow === true && options.reverse === true) {
    throw new Failure(EXIT.usage, '--follow goes on with what comes, and --reverse goes back', {
      hint: 'give one of them',
    })
  }
  const opened = await openStore(await locateStore(store))
  try {
    const sinceMs = options.since === undefined ? 0 : await parsePointInTime(options.since, Date.now())
    const printer = new RowPrinter<ChangeRow>(terminal, options.output, columns(options), toRow)
    if (options.follow === true) return await follow(opened, terminal, options, sinceMs, printer)
    await list(opened, terminal, options, sinceMs, printer)
  } finally {
    await opened.kv.close()
  }
  return undefined
}

async function list(
  opened: OpenedStore,
  terminal: Terminal,
  options: ChangesOptions,
  sinceMs: number,
  printer: RowPrinter<ChangeRow>,
): Promise<void> {
  const { store } = opened
  const { limit, cursor } = pagingOf(options)
  const reverse = options.reverse === true
  let after = cursor ?? null
  let shown = 0
  for (;;) {
    const left = limit === null ? PAGE : Math.min(PAGE, limit - shown)
    const page = await store.changes({ after, limit: left, reverse })
    tellGap(opened, terminal, page, reverse)
    shown += addPage(page, sinceMs, printer, reverse)
    after = page.cursor
    const full = limit !== null && shown >= limit
    // A page ends before a damaged entry, so that a short one is not the last.
    if ((page.changeSets.length === 0 && page.gap === null) || full) {
      printer.end('no changes')
      if (full) terminal.err(`more: --cursor ${after}\n`)
      return
    }
  }
}

/** Follows until the process is asked to stop, which is a good end. */
async function follow(
  opened: OpenedStore,
  terminal: Terminal,
  options: ChangesOptions,
  sinceMs: number,
  printer: RowPrinter<ChangeRow>,
): Promise<ExitCode> {
  const { store } = opened
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const fromStart = options.cursor === undefined && options.since === undefined
  const after = fromStart ? await store.latestCursor() : (options.cursor ?? null)
  for await (const page of store.watch({ after, signal: stop.signal })) {
    tellGap(opened, terminal, page, false)
    addPage(page, sinceMs, printer)
    printer.flush()
  }
  return EXIT.ok
}

/** Says why changes are missing: entries that are there are damaged, and those that are not were trimmed. */
function tellGap({ kv }: OpenedStore, terminal: Terminal, { gap }: FeedPage, reverse: boolean): void {
  if (gap === null) return
  const { afterSequence, resumesAtSequence } = gap
  const between = { gt: tuple(afterSequence), lt: tuple(resumesAtSequence), limit: MOST_DAMAGED }
  const damaged = kv.read((snapshot) => snapshot.keys('feed', between)).length
  const count = damaged === MOST_DAMAGED ? `at least ${damaged} changes are` : areDamaged(damaged)
  const text =
    damaged > 0
      ? `${count} damaged between ${afterSequence} and ${resumesAtSequence} ("check" names them)`
      : `changes behind ${afterSequence} were trimmed`
  terminal.err(`gap: ${text}; it goes on at ${reverse ? afterSequence : resumesAtSequence}\n`)
}

function areDamaged(count: number): string {
  return `${countOf(count, 'change')} ${count === 1 ? 'is' : 'are'}`
}

/** Returns how many transactions it printed; one of them may have changed several records. */
function addPage(page: FeedPage, sinceMs: number, printer: RowPrinter<ChangeRow>, reverse = false): number {
  const wanted = page.changeSets.filter(({ atMs }) => atMs >= sinceMs)
  for (const changeSet of wanted) {
    const rows = rowsOf(changeSet)
    for (const row of reverse ? rows.reverse() : rows) printer.add(row)
  }
  return wanted.length
}

function rowsOf({ sequence, atMs, changes: inner }: ChangeSet): ChangeRow[] {
  return inner.map((change) => ({ ...change, sequence, atMs }))
}

function toRow({ atMs, ...change }: ChangeRow): unknown {
  return { ...change, at: rfcTime(atMs) }
}

function columns({ output, wide }: ChangesOptions) {
  const csv = output === 'csv'
  const whole = csv || wide === true
  return [
    { name: 'SEQUENCE', value: ({ sequence }: ChangeRow) => String(sequence) },
    { name: 'TIME', value: ({ atMs }: ChangeRow) => (csv ? (rfcTime(atMs) ?? '') : localTime(atMs)) },
    { name: 'KIND', value: ({ kind }: ChangeRow) => kind },
    { name: 'ID', value: ({ id }: ChangeRow) => shortId(id, whole) },
    { name: 'JOB', value: ({ jobId }: ChangeRow) => shortId(jobId, whole) },
    { name: 'FROM', value: ({ previousState }: ChangeRow) => previousState ?? '' },
    { name: 'TO', value: ({ state }: ChangeRow) => state ?? '(removed)' },
    { name: 'REVISION', value: ({ revision }: ChangeRow) => (revision === 0 ? '' : String(revision)) },
  ]
}
