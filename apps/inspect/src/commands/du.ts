import type { KvStatistics, StateCount } from '@saltcod/store-core'
import type { ReadOptions } from '../cli/options.ts'
import { printValue } from '../cli/output.ts'
import { formatTable } from '../cli/table.ts'
import { paint, type Terminal } from '../cli/terminal.ts'
import { bytesText, countOf, printable, recordsText, sizeText } from '../cli/words.ts'
import { locateStores } from '../store/locate.ts'
import { type OpenedStore, openStore } from '../store/open-store.ts'
import { type ReaderTable, readReaders } from '../store/readers.ts'

/** Options of `du`. */
export interface DuOptions extends ReadOptions {
  readonly age?: boolean
}

interface AgeBucket {
  readonly createdWithin: string
  records: number
}

interface Usage {
  readonly path: string
  readonly statistics: KvStatistics | null
  readonly counts: readonly StateCount[]
  readonly readers: ReaderTable | null
  readonly ages: readonly AgeBucket[] | null
}

const HOUR_MS = 3_600_000
const AGES: readonly (readonly [string, number])[] = [
  ['1 hour', HOUR_MS],
  ['1 day', 24 * HOUR_MS],
  ['7 days', 7 * 24 * HOUR_MS],
  ['30 days', 30 * 24 * HOUR_MS],
  ['ever', Number.POSITIVE_INFINITY],
]

/** Prints where the bytes are: by table, kind, namespace and state, what is free, and who reads. */
export async function du(terminal: Terminal, store: string, options: DuOptions): Promise<undefined> {
  const found: Usage[] = []
  for (const path of await locateStores(store)) {
    const readers = readReaders(path)
    const opened = await openStore(path)
    try {
      found.push({
        path,
        readers,
        statistics: opened.store.capabilities.statistics?.() ?? null,
        counts: await opened.store.counts(),
        ages: options.age === true ? await agesOf(opened) : null,
      })
    } finally {
      await opened.kv.close()
    }
  }
  const value = found.length === 1 ? found[0] : { stores: found }
  printValue(terminal, options.output, value, () => found.map((usage) => textOf(terminal, usage)).join('\n'))
  return undefined
}

/** Counts records by age; looks at every one of them, a page at a time. */
async function agesOf(opened: OpenedStore): Promise<AgeBucket[]> {
  const nowMs = Date.now()
  const buckets = AGES.map(([createdWithin]) => ({ createdWithin, records: 0 }))
  let cursor: string | null = null
  do {
    const page: { items: readonly { createdAtMs: number }[]; next: string | null } =
      opened.kind === 'jobs'
        ? await opened.store.listJobs({ limit: 1_000, cursor })
        : await opened.store.listExecutions({ limit: 1_000, cursor })
    for (const { createdAtMs } of page.items) {
      const place = AGES.findIndex(([, ageMs]) => nowMs - createdAtMs <= ageMs)
      const bucket = buckets[place]
      if (bucket !== undefined) bucket.records += 1
    }
    cursor = page.next
  } while (cursor !== null)
  return buckets
}

function textOf(terminal: Terminal, { path, statistics, counts, readers, ages }: Usage): string {
  const title = (text: string): string => `\n${paint(terminal, 'bold', text)}\n`
  let text = `${paint(terminal, 'bold', printable(path))}\n`
  if (statistics !== null) {
    const { fileBytes, usedBytes, freeBytes, tables } = statistics
    const reserved = Math.max(0, fileBytes - usedBytes - freeBytes)
    text += `${bytesText(fileBytes)} on disk: ${bytesText(usedBytes)} live, ${bytesText(freeBytes)} free pages inside, ${bytesText(reserved)} reserved at the end\n`
    const rows = tables
      .filter(({ rows: count }) => count > 0)
      .sort((a, b) => b.usedBytes - a.usedBytes)
      .map(({ table, rows: count, usedBytes: bytes }) => [table, String(count), bytesText(bytes)])
    text += `${title('By table')}${formatTable(terminal, ['TABLE', 'ROWS', 'BYTES'], rows)}`
  }
  const rows = [...counts]
    .sort((a, b) => b.bytes - a.bytes)
    .map((count) => [count.kind, count.namespace, count.state, recordsText(count), sizeText(count)])
  text += `${title('Records')}${formatTable(terminal, ['KIND', 'NAMESPACE', 'STATE', 'RECORDS', 'BYTES'], rows)}`
  if (ages !== null) {
    const aged = ages.map(({ createdWithin, records }) => [createdWithin, String(records)])
    text += `${title('By age')}${formatTable(terminal, ['CREATED WITHIN', 'RECORDS'], aged)}`
  }
  const active = readers?.readers.filter(({ transaction }) => transaction !== null) ?? []
  const pins = active.map(({ processId, transaction }) => {
    const behind = Number(BigInt(readers?.newestTransaction ?? 0) - BigInt(transaction ?? 0))
    return `process ${processId}, ${behind <= 0 ? 'up to date' : `${countOf(behind, 'transaction')} behind`}`
  })
  return `${text}${title('Readers')}${pins.length === 0 ? 'nobody holds a snapshot' : pins.join('\n')}\n`
}
