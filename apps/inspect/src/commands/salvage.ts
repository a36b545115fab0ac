import {
  decodeRecord,
  isStoreError,
  REBUILT_TABLES,
  STORE_TABLES,
  type StoreKind,
  type StoreRow,
  tuple,
} from '@saltcod/store-core'
import type { ReadOptions } from '../cli/options.ts'
import { printValue } from '../cli/output.ts'
import type { Terminal } from '../cli/terminal.ts'
import { countOf } from '../cli/words.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { Failure } from '../failure.ts'
import { walkFile } from '../pages/file-walk.ts'
import { findOrphanRows } from '../pages/orphan-leaves.ts'
import type { LostStretch } from '../pages/tree-walk.ts'
import { locateStore } from '../store/locate.ts'
import { makeStore } from '../store/new-store.ts'
import { LeftOutFile, rebuildInto } from '../store/rebuild-into.ts'
import { requireStopped } from '../store/require-stopped.ts'
import type { StoreTableRow } from '../store/row.ts'
import { checkStoreFile } from '../store/store-check.ts'

const RECORDS: ReadonlySet<string> = new Set(
  STORE_TABLES.filter((table) => !(REBUILT_TABLES as readonly string[]).includes(table)),
)

/** Saves every record of a damaged, stopped store that can be decoded into a new, sound one, without LMDB. */
export async function salvage(
  terminal: Terminal,
  source: string,
  target: string,
  options: ReadOptions,
): Promise<ExitCode> {
  const path = await locateStore(source)
  await requireStopped(path, 'stop the node first')
  const leftOut = new LeftOutFile(`${target}.left-out.ndjson`)
  const found = gather(path, leftOut)
  const bytes = await makeStore(target, async (sink) => {
    for (const row of found.rows) if (sink.add(row)) await sink.flush()
    await rebuildInto(sink, found.kind, leftOut)
  }).finally(() => leftOut.close())
  const { findings } = await checkStoreFile(target, 100, undefined)
  const value = {
    source: path,
    target,
    kind: found.kind,
    savedRows: found.rows.length,
    bytes,
    problems: found.problems,
    lostStretches: found.lost.map(({ table, page, from, to }) => ({
      table,
      page,
      from: from?.toString('hex') ?? null,
      to: to?.toString('hex') ?? null,
    })),
    leftOut: leftOut.count,
    leftOutFile: leftOut.count === 0 ? null : leftOut.path,
    rows: leftOut.listed,
    findings,
  }
  printValue(terminal, options.output, value, () => {
    const damage =
      found.problems.length === 0 ? 'no damaged page\n' : `damage: ${found.problems.join('\n        ')}\n`
    const lost =
      leftOut.count === 0 ? '' : `${countOf(leftOut.count, 'row')} left out, listed in ${leftOut.path}\n`
    return `${damage}${countOf(found.rows.length, 'row')} saved into ${target}: ${findings.length === 0 ? 'sound' : countOf(findings.length, 'finding')}\n${lost}`
  })
  return findings.length === 0 ? EXIT.ok : EXIT.findings
}

interface Gathered {
  readonly kind: StoreKind
  readonly rows: readonly StoreTableRow[]
  readonly problems: readonly string[]
  readonly lost: readonly LostStretch[]
}

/** Reads everything that can be decoded; a store that was damaged fits into memory only as far as its records do. */
function gather(path: string, leftOut: LeftOutFile): Gathered {
  const rows = new Map<string, StoreTableRow>()
  const problems: string[] = []
  const lost: LostStretch[] = []
  const take = (table: string, key: Buffer, value: Buffer): void => {
    if (!RECORDS.has(table)) return
    const row = { table, key: Buffer.from(key), value: Buffer.from(value) }
    if (decodes(row)) rows.set(`${table}:${row.key.toString('hex')}`, row)
    else
      leftOut.add({
        table,
        key: row.key.toString('hex'),
        id: '',
        reason: 'the record fails its checksum',
        value,
      })
  }
  const walk = walkFile(path, {
    row: take,
    problem: ({ message }) => problems.push(message),
    lost: (stretch) => lost.push(stretch),
  })
  if (walk === null) {
    throw new Failure(EXIT.unreadable, `${path} has no meta page that can be read: ${problems.join('; ')}`, {
      hint: 'restore a backup',
    })
  }
  for (const { table, key, value } of findOrphanRows(path, walk, lost)) {
    if (!rows.has(`${table}:${key.toString('hex')}`)) take(table, key, value)
  }
  for (const { table, page, from, to } of lost) {
    if (RECORDS.has(table)) {
      const bounds = `from ${from?.toString('hex') ?? 'the beginning'} to ${to?.toString('hex') ?? 'the end'}`
      leftOut.add({
        table,
        key: '',
        id: '',
        reason: `rows ${bounds} were on the damaged page ${page}, as far as they were not found elsewhere`,
      })
    }
  }
  return { kind: kindOf(rows), rows: [...rows.values()], problems, lost }
}

function decodes({ table, key, value }: StoreTableRow): boolean {
  try {
    decodeRecord(table, key, value[1] ?? 1, value)
    return true
  } catch (error) {
    if (isStoreError(error)) return false
    throw error
  }
}

/** The kind stands in the `meta` table; where that is lost, only a store of jobs has jobs. */
function kindOf(rows: ReadonlyMap<string, StoreTableRow>): StoreKind {
  const key = tuple('store')
  const row = rows.get(`meta:${Buffer.from(key).toString('hex')}`)
  if (row !== undefined) return decodeRecord<StoreRow>('meta', row.key, row.value[1] ?? 1, row.value).kind
  for (const { table } of rows.values()) if (table === 'jobs' || table === 'evaluations') return 'jobs'
  return 'executions'
}
