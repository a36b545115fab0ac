import type { Page, PageRequest, RecordKind } from '@saltcod/store-core'
import type { Terminal } from '../cli/terminal.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import type { OpenedStore } from './open-store.ts'

const MAX_PAGE = 1_000
/** How often a store that is written to is looked at anew. */
const MOST_LOOKS = 3

/** A listing of all records of a kind, of which so many were met. */
export interface WholeListing<T> {
  readonly kind: RecordKind
  /** Those that were listed and those that were named as damaged; `null` where not all was walked. */
  readonly met: number | null
  readonly read: (request: PageRequest) => Promise<Page<T>>
}

/**
 * Says so where a listing of everything has fewer records than the counters of the store. What others change meanwhile is no loss:
 * only a look during which nothing was written counts. Returns the exit code for that; `undefined` where nothing is missing.
 */
export async function tellMissing<T>(
  terminal: Terminal,
  opened: OpenedStore,
  { kind, met, read }: WholeListing<T>,
): Promise<ExitCode | undefined> {
  if (met === null || met >= (await counted(opened, kind))) return undefined
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const { sequence } = await opened.store.info()
    const missing = (await counted(opened, kind)) - (await walked(read))
    if ((await opened.store.info()).sequence !== sequence) continue
    if (missing <= 0) return undefined
    terminal.err(`Warning: ${missing} of ${opened.path} missing from this listing (${kind}): run check\n`)
    return EXIT.findings
  }
  return undefined
}

/** The records of a kind by the counters; none where one of them is damaged, so that nothing is taken for missing. */
async function counted({ store }: OpenedStore, kind: RecordKind): Promise<number> {
  const counts = await store.counts({ kind })
  if (counts.some(({ damaged }) => damaged === true)) return 0
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
