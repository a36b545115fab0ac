import type { Terminal } from '@saltcod/cli-kit'
import type { Page, PageRequest, RecordKind } from '@saltcod/store-core'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { countRows } from './bucket-rows.ts'
import type { OpenedStore } from './open-store.ts'

const MAX_PAGE = 1_000
const COUNTED_TABLES = [
  ['job', 'jobs'],
  ['execution', 'executions'],
  ['evaluation', 'evaluations'],
] as const
/** How often a store that is written to is looked at anew. */
const MOST_LOOKS = 3

/** What counters can tell the number of: all records of a kind, or those in some states and in a namespace. */
interface Counted {
  readonly kind: RecordKind
  readonly states?: readonly string[] | undefined
  readonly namespace?: string | undefined
}

/** A listing of all that counters can tell the number of, of which so many were met. */
export interface WholeListing<T> extends Counted {
  /** Those that were listed and those that were named as damaged; `null` where not all was walked. */
  readonly met: number | null
  readonly read: (request: PageRequest) => Promise<Page<T>>
}

/**
 * Says so where such a listing has fewer records than the counters of the store. What others change meanwhile is no
 * loss: only a look during which nothing was written counts. Returns the exit code for that; `undefined` where nothing
 * is missing.
 */
export async function tellMissing<T>(
  terminal: Terminal,
  opened: OpenedStore,
  { met, read, ...what }: WholeListing<T>,
): Promise<ExitCode | undefined> {
  if (met === null || met >= (await counted(opened, what))) return undefined
  return await tell(terminal, opened, what, () => walked(read))
}

/**
 * Says so where the tables have fewer rows than the counters of the store. Those of deleted jobs are there for a while
 * and count nowhere.
 */
export async function tellMissingRows(
  terminal: Terminal,
  opened: OpenedStore,
): Promise<ExitCode | undefined> {
  let code: ExitCode | undefined
  for (const [kind, table] of COUNTED_TABLES) {
    const count = (): number => countRows(opened.kv, { table, prefix: new Uint8Array(0) })
    code = (await tell(terminal, opened, { kind }, count)) ?? code
  }
  return code
}

async function tell(
  terminal: Terminal,
  opened: OpenedStore,
  what: Counted,
  walk: () => number | Promise<number>,
): Promise<ExitCode | undefined> {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const { sequence } = await opened.store.info()
    const missing = (await counted(opened, what)) - (await walk())
    if ((await opened.store.info()).sequence !== sequence) continue
    if (missing <= 0) return undefined
    terminal.err(
      `Warning: ${missing} of ${opened.path} missing from this listing (${what.kind}): run check\n`,
    )
    return EXIT.findings
  }
  return undefined
}

/** The records by the counters; none where one of them is damaged, so that nothing is taken for missing. */
async function counted({ store }: OpenedStore, { kind, states, namespace }: Counted): Promise<number> {
  const all = await store.counts({ kind })
  const counts = all.filter(
    (count) =>
      (states === undefined || states.includes(count.state)) &&
      (namespace === undefined || namespace === count.namespace),
  )
  if (all.some(({ damaged }) => damaged === true)) return 0
  return counts.reduce((sum, { records }) => sum + records, 0)
}

async function walked<T>(read: WholeListing<T>['read']): Promise<number> {
  let met = 0
  let cursor: string | null = null
  do {
    const page: Page<T> = await read({ limit: MAX_PAGE, cursor })
    met += page.items.length + page.quarantined.length
    cursor = page.next
  } while (cursor !== null)
  return met
}
