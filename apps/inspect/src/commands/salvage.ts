import { countOf, Failure, printable, printValue, type Terminal } from '@saltcod/cli-kit'
import type { RecordKind, StateCount } from '@saltcod/store-core'
import { decodeRecord, decodeTuple, type StoreKind, type StoreRow, tuple } from '@saltcod/store-core/format'
import { type FileWalkEvents, type LostStretch, walkFile } from '@saltcod/store-lmdb/file'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { decodes, findOrphanRows } from '../file/orphan-leaves.ts'
import type { StoreTableRow } from '../store/interchange.ts'
import { locateStore } from '../store/locate.ts'
import { isRebuilt, mayCostRecords, noteLost, RECORD_TABLES } from '../store/lost-rows.ts'
import { freePath, makeStore } from '../store/new-store.ts'
import { refuseNewer } from '../store/open-store.ts'
import { LeftOutFile, rebuildInto } from '../store/rebuild-into.ts'
import { expectAnother } from '../store/remembered-place.ts'
import { requireStopped } from '../store/require-stopped.ts'
import { checkStoreFile } from '../store/store-check.ts'

const RECORDS: ReadonlySet<string> = new Set(RECORD_TABLES)

/** Saves every record of a damaged, stopped store that can be decoded into a new, sound one, without LMDB. */
export async function salvage(
  terminal: Terminal,
  source: string,
  target: string,
  options: ReadOptions,
): Promise<ExitCode> {
  const path = await locateStore(source)
  await requireStopped(path, 'stop the node first')
  freePath(target)
  const survey = surveyOf(path)
  const apart = new Set(survey.orphans.map(nameOf))
  const leftOut = new LeftOutFile(`${target}.left-out.ndjson`)
  let savedRows = 0
  let saved: readonly StateCount[] = []
  const bytes = await makeStore(target, async (sink) => {
    // What is still reached overrules what was found apart from any tree.
    for (const row of survey.orphans) if (sink.add(row)) await sink.flush()
    for (const row of walkFile(path, SILENT)) {
      if (isRebuilt(row.table)) continue
      if (!RECORDS.has(row.table)) leftOut.add({ ...rowFacts(row), reason: STRAY })
      else if (!decodes(row))
        leftOut.add({ ...rowFacts(row), reason: apart.has(nameOf(row)) ? EARLIER : DAMAGED })
      else if (sink.add(row)) await sink.flush()
    }
    savedRows = sink.rows
    noteLost(survey.lost, leftOut)
    saved = await rebuildInto(sink, survey.kind, leftOut)
  }).finally(() => leftOut.close())
  expectAnother(path)
  const { findings } = await checkStoreFile(target, 100, undefined)
  const { kind, problems, lost } = survey
  const countDifferences = compareCounts(survey.counters, saved)
  const isWhole =
    findings.length + leftOut.count + countDifferences.length === 0 &&
    !survey.mayLackRecords &&
    survey.isBehind === false
  const value = {
    source: path,
    target,
    kind,
    savedRows,
    isWhole,
    foundApart: survey.orphans.length,
    bytes,
    problems,
    isOneCommitBehind: survey.isBehind ?? null,
    lostStretches: lost.map(({ table, page, from, to }) => ({ table, page, from: hex(from), to: hex(to) })),
    leftOut: leftOut.count,
    leftOutFile: leftOut.count === 0 ? null : leftOut.path,
    rows: leftOut.listed,
    countDifferences,
    findings,
  }
  printValue(terminal, options.output, value, () => {
    const damage = problems.length === 0 ? 'no damaged page\n' : `damage: ${problems.join('\n        ')}\n`
    const behind =
      survey.isBehind === false
        ? ''
        : `what is saved ${survey.isBehind === true ? 'is' : 'may be'} one commit behind: the meta page of a later one cannot be read\n`
    const left =
      leftOut.count === 0 ? '' : `${countOf(leftOut.count, 'row')} left out, listed in ${leftOut.path}\n`
    const isEmpty = !isWhole && saved.every(({ records }) => records === 0)
    const verdict = findings.length > 0 ? countOf(findings.length, 'finding') : isWhole ? 'sound' : MISSING
    const result = isEmpty
      ? `no record could be saved: ${target} is an empty store`
      : `${countOf(savedRows, 'row')} saved into ${target}: ${verdict}`
    const found =
      survey.orphans.length === 0
        ? ''
        : `${countOf(survey.orphans.length, 'row')} found on pages that nothing leads to; removed ones may be among them\n`
    const counted = countDifferences.map(
      ({ kind, namespace, state, said, saved }) =>
        `${printable(namespace)}: ${said} of kind ${kind} in state ${state} were counted, ${saved} are saved\n`,
    )
    return `${damage}${behind}${result}\n${found}${left}${counted.join('')}`
  })
  return isWhole ? EXIT.ok : EXIT.findings
}

const STORE_KEY = tuple('store')
const DAMAGED = 'the record fails its checksum'
const EARLIER = `${DAMAGED}; a copy of it that was found apart is saved, and may be an earlier one`
const STRAY = 'its table is none of a store'
const MISSING = 'rows are missing, or may be'
const SILENT: FileWalkEvents = { problem: () => undefined, lost: () => undefined }

interface Survey {
  readonly kind: StoreKind
  /** Rows on pages that no tree reaches any more. */
  readonly orphans: readonly StoreTableRow[]
  readonly problems: readonly string[]
  /** Whether a problem is where records may have been. */
  readonly mayLackRecords: boolean
  readonly lost: readonly LostStretch[]
  readonly counters: readonly StateCount[]
  /** Whether a later commit had a meta page that cannot be read; `undefined` where that is not known. */
  readonly isBehind: boolean | undefined
}

/** Walks the file once to learn what is damaged, before anything is written. */
function surveyOf(path: string): Survey {
  const problems: string[] = []
  let mayLackRecords = false
  const lost: LostStretch[] = []
  const kind = new KindGuess()
  const counters: StateCount[] = []
  const rows = walkFile(path, {
    problem({ table, message }) {
      problems.push(message)
      mayLackRecords ||= mayCostRecords(table)
    },
    lost: (stretch) => void lost.push(stretch),
  })
  for (;;) {
    const step = rows.next()
    if (step.done !== true) {
      kind.look(step.value, (row) => refuseNewer(path, row))
      if (step.value.table === 'counters' && decodes(step.value)) counters.push(toCount(step.value))
      continue
    }
    if (step.value === null) {
      throw new Failure(
        EXIT.unreadable,
        `${path} has no meta page that can be read: ${problems.join('; ')}`,
        {
          hint: 'restore a backup',
        },
      )
    }
    const orphans = findOrphanRows(path, step.value, lost).filter(({ table }) => RECORDS.has(table))
    for (const row of orphans) kind.look(row)
    const { isBehind } = step.value
    return { kind: kind.answer(), orphans, problems, mayLackRecords, lost, counters, isBehind }
  }
}

/** Finds out which store a file holds, also where the row that says so is lost. */
class KindGuess {
  #said: StoreKind | undefined
  #guessed: StoreKind = 'executions'

  look(row: StoreTableRow, onStoreRow: (row: StoreRow) => void = () => undefined): void {
    const { table, key, value } = row
    // Only a store of jobs has these.
    if (table === 'jobs' || table === 'evaluations') this.#guessed = 'jobs'
    if (table !== 'meta' || this.#said !== undefined || Buffer.compare(key, STORE_KEY) !== 0 || !decodes(row))
      return
    const said = decodeRecord<StoreRow>('meta', key, value)
    onStoreRow(said)
    this.#said = said.kind
  }

  answer(): StoreKind {
    return this.#said ?? this.#guessed
  }
}

/** What the counters of the damaged store said, where the new one has another number. */
interface CountDifference {
  readonly kind: string
  readonly namespace: string
  readonly state: string
  readonly said: number
  readonly saved: number
}

function toCount({ key, value }: StoreTableRow): StateCount {
  const [kind, namespace, state] = decodeTuple(key)
  const [records, bytes] = decodeRecord<readonly [number, number]>('counters', key, value)
  return { kind: kind as RecordKind, namespace: String(namespace), state: String(state), records, bytes }
}

/** Tells of records that were lost without a trace: nothing names them, but they had been counted. */
function compareCounts(before: readonly StateCount[], after: readonly StateCount[]): CountDifference[] {
  const same = (a: StateCount, b: StateCount): boolean =>
    a.kind === b.kind && a.namespace === b.namespace && a.state === b.state
  const gone = after.filter((count) => !before.some((other) => same(count, other)))
  return [...before, ...gone.map((count) => ({ ...count, records: 0 }))].flatMap((count) => {
    const saved = after.find((other) => same(count, other))?.records ?? 0
    const { kind, namespace, state, records: said } = count
    return said === saved ? [] : [{ kind, namespace, state, said, saved }]
  })
}

function nameOf({ table, key }: StoreTableRow): string {
  return `${table} ${Buffer.from(key).toString('hex')}`
}

function rowFacts({ table, key, value }: StoreTableRow) {
  return { table, key: Buffer.from(key).toString('hex'), id: '', value }
}

function hex(bytes: Buffer | null): string | null {
  return bytes?.toString('hex') ?? null
}
