import {
  bytesText,
  countOf,
  formatTable,
  paint,
  printable,
  printValue,
  span,
  type Terminal,
} from '@saltcod/cli-kit'
import type { JobRetentionRule } from '@saltcod/compaction'
import { isStoreError, type Json, type RecordKind, type StateCount } from '@saltcod/store-core'
import type { KvStatistics } from '@saltcod/store-core/backend'
import { decodeRecord, readableRecord, type StoreKind } from '@saltcod/store-core/format'
import { type ReaderTable, readReaders } from '@saltcod/store-lmdb/file'
import type { ReadOptions } from '../cli/options.ts'
import { recordsText, sizeText } from '../cli/words.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { previewRules, type RulePreview } from '../explain/rule-preview.ts'
import { eachRow } from '../store/bucket-rows.ts'
import { tellGoneStores } from '../store/gone-stores.ts'
import { locateStores } from '../store/locate.ts'
import { readNodeConfig } from '../store/node-config.ts'
import { type OpenedStore, openStore } from '../store/open-store.ts'
import { estimateNote } from './stats.ts'

/** Options of `du`. */
export interface DuOptions extends ReadOptions {
  readonly age?: boolean
  readonly config?: string
  /** In milliseconds. */
  readonly maxAge?: number
  readonly maxCount?: number
  readonly namespace?: string
}

interface AgeGroup {
  readonly kind: RecordKind
  readonly createdWithin: string
  records: number
  /** Of the records, with the specifications that belong to them, as the counters have them. */
  bytes: number
}

/** What rows of these tables have in common: when they were created, and the bytes of their specifications. */
interface AgedRow {
  readonly createdAtMs: number
  readonly specBytes?: number
  readonly jobBytes?: number
}

interface Usage {
  readonly path: string
  readonly statistics: KvStatistics | null
  readonly counts: readonly StateCount[]
  readonly readers: ReaderTable | null
  readonly ages: readonly AgeGroup[] | null
  /** What each rule of retention would remove; `null` for a store of executions. */
  readonly retention: readonly RulePreview[] | null
  /** What a rewrite gives back at the least; `null` where pages are not counted. */
  readonly rewriteGivesBackBytes: number | null
}

const HOUR_MS = 3_600_000
const AGES: readonly (readonly [string, number])[] = [
  ['1 hour', HOUR_MS],
  ['1 day', 24 * HOUR_MS],
  ['7 days', 7 * 24 * HOUR_MS],
  ['30 days', 30 * 24 * HOUR_MS],
  ['ever', Number.POSITIVE_INFINITY],
]

const AGED_TABLES: readonly (readonly [RecordKind, string])[] = [
  ['job', 'jobs'],
  ['execution', 'executions'],
  ['evaluation', 'evaluations'],
]

/** Prints where the bytes are: by table, kind, namespace and state, what is free, and who reads. */
export async function du(terminal: Terminal, store: string, options: DuOptions): Promise<ExitCode> {
  const rules = await rulesOf(store, options)
  const found: Usage[] = []
  const gone = await tellGoneStores(terminal, store)
  for (const path of await locateStores(store)) {
    const readers = readReaders(path)
    const opened = await openStore(path)
    try {
      const statistics = opened.store.capabilities.statistics?.() ?? null
      found.push({
        path,
        readers,
        statistics,
        counts: await opened.store.counts(),
        ages: options.age === true ? agesOf(opened) : null,
        retention: opened.kind === 'jobs' ? await previewRules(opened, rules) : null,
        rewriteGivesBackBytes: statistics?.freeBytes ?? null,
      })
    } finally {
      await opened.kv.close()
    }
  }
  const value = found.length === 1 ? found[0] : { stores: found }
  printValue(terminal, options.output, value, () => found.map((usage) => textOf(terminal, usage)).join('\n'))
  return gone === 0 ? EXIT.ok : EXIT.unreadable
}

/** The rules that are given, else those of the node's configuration. */
async function rulesOf(
  store: string,
  { config: file, maxAge: maxAgeMs, maxCount, namespace }: DuOptions,
): Promise<readonly JobRetentionRule[]> {
  const given = maxAgeMs !== undefined || maxCount !== undefined
  const rules: readonly JobRetentionRule[] = given
    ? [
        {
          ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
          ...(maxCount === undefined ? {} : { maxCount }),
        },
      ]
    : ((await readNodeConfig(store, file))?.retention ?? [])
  if (namespace === undefined) return rules
  return rules
    .filter((rule) => rule.namespace === undefined || rule.namespace === namespace)
    .map((rule) => ({ ...rule, namespace }))
}

/** Counts records and their bytes by age; looks at every one of them, a batch at a time. */
function agesOf({ kv, kind: storeKind }: OpenedStore): AgeGroup[] {
  const nowMs = Date.now()
  const tables = AGED_TABLES.filter(([kind]) => storeKind === 'jobs' || kind === 'execution')
  return tables.flatMap(([kind, table]) => {
    const groups = AGES.map(([createdWithin]) => ({ kind, createdWithin, records: 0, bytes: 0 }))
    eachRow(kv, { table, prefix: new Uint8Array(0) }, null, ({ key, value }) => {
      const row = decodedOrNothing(storeKind, table, key, value)
      const group = groups[AGES.findIndex(([, ageMs]) => nowMs - (row?.createdAtMs ?? nowMs) <= ageMs)]
      if (row === undefined || group === undefined) return true
      group.records += 1
      group.bytes += value.length + (row.specBytes ?? row.jobBytes ?? 0)
      return true
    })
    return groups.filter(({ records }) => records > 0)
  })
}

function decodedOrNothing(
  kind: StoreKind,
  table: string,
  key: Uint8Array,
  value: Uint8Array,
): AgedRow | undefined {
  try {
    return readableRecord(kind, table, decodeRecord<Json>(table, key, value)) as unknown as AgedRow
  } catch (error) {
    if (isStoreError(error, 'RECORD_CORRUPT')) return undefined
    throw error
  }
}

function textOf(terminal: Terminal, usage: Usage): string {
  const { path, statistics, counts, readers, ages, retention } = usage
  const title = (text: string): string => `\n${paint(terminal, 'bold', text)}\n`
  let text = `${paint(terminal, 'bold', printable(path))}\n`
  if (statistics !== null) {
    const { fileBytes, usedBytes, freeBytes, tables } = statistics
    const reserved = Math.max(0, fileBytes - usedBytes - freeBytes)
    text += `${bytesText(fileBytes)} on disk: ${bytesText(usedBytes)} live, ${bytesText(freeBytes)} free pages inside, ${bytesText(reserved)} reserved at the end\n`
    text += `a rewrite gives back ${bytesText(freeBytes)}, and what half-filled pages take\n`
    const rows = tables
      .filter(({ rows: count }) => count > 0)
      .sort((a, b) => b.usedBytes - a.usedBytes)
      .map(({ table, rows: count, usedBytes: bytes }) => [table, String(count), bytesText(bytes)])
    text += `${title('By table')}${formatTable(terminal, ['TABLE', 'ROWS', 'BYTES'], rows)}${estimateNote(statistics)}`
  }
  const rows = [...counts]
    .sort((a, b) => b.bytes - a.bytes)
    .map((count) => [count.kind, count.namespace, count.state, recordsText(count), sizeText(count)])
  text += `${title('Records')}${formatTable(terminal, ['KIND', 'NAMESPACE', 'STATE', 'RECORDS', 'BYTES'], rows)}`
  if (ages !== null) {
    const aged = ages.map(({ kind, createdWithin, records, bytes }) => [
      kind,
      createdWithin,
      String(records),
      bytesText(bytes),
    ])
    text += `${title('By age')}${formatTable(terminal, ['KIND', 'CREATED WITHIN', 'RECORDS', 'BYTES'], aged)}`
  }
  if (retention !== null) text += `${title('Retention would remove')}${previewText(terminal, retention)}`
  const active = readers?.readers.filter(({ transaction }) => transaction !== null) ?? []
  const pins = active.map(({ processId, transaction }) => {
    const behind = Number(BigInt(readers?.newestTransaction ?? 0) - BigInt(transaction ?? 0))
    return `process ${processId}, ${behind <= 0 ? 'up to date' : `${countOf(behind, 'transaction')} behind`}`
  })
  return `${text}${title('Readers')}${pins.length === 0 ? 'nobody holds a snapshot' : pins.join('\n')}\n`
}

function previewText(terminal: Terminal, retention: readonly RulePreview[]): string {
  if (retention.length === 0) return 'nothing: there are no rules (see Retention in the config file)\n'
  const rows = retention.map(({ rule, jobs, bytes, held, overdueSeconds }) => [
    rule,
    String(jobs),
    bytesText(bytes),
    String(held),
    overdueSeconds === 0 ? '-' : span(overdueSeconds * 1_000),
  ])
  return formatTable(terminal, ['RULE', 'JOBS', 'BYTES', 'HELD', 'OVERDUE'], rows)
}
