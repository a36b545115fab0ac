import { copyFileSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type DamageCase, writeDamaged } from '../../../test/damaged-file.ts'
import type { Answer, AnsweringSession } from './answering-session.ts'
import { droppedRecords } from './dropped-records.ts'
import { inspect } from './fixture.ts'

const COUNTED: ReadonlySet<string> = new Set(['jobs', 'executions', 'evaluations'])
/** No command takes longer, however damaged the store is. */
const MAX_ANSWER_MS = 60_000

type StoreKind = 'jobs' | 'executions'

/** A sound store, with what is compared. */
export interface SoundStore {
  /** Who is asked of it and of its damaged copies. */
  readonly session: AnsweringSession
  readonly path: string
  readonly kind: StoreKind
  readonly commands: readonly (readonly string[])[]
  readonly answers: readonly Answer[]
  readonly rows: ReadonlyMap<string, string>
}

interface LostRow {
  readonly table: string
  readonly key: string
  readonly id: string
  readonly reason: string
}

interface Salvaged {
  readonly lostStretches: readonly {
    readonly table: string
    readonly from: string | null
    readonly to: string | null
  }[]
  readonly rows: readonly LostRow[]
  readonly problems: readonly string[]
  readonly foundApart: number
  readonly isOneCommitBehind: boolean | null
  readonly countDifferences: readonly unknown[]
}

/** Lists every command that reads, with ids of the stores of `full-store.ts`. */
function readCommands(kind: StoreKind): readonly (readonly string[])[] {
  const json = ['--output', 'json']
  const ids = ['0', '2', '6', '61', '90', '119']
  const common = [
    ...['summary', 'counts', 'stats', 'buckets', 'info'].map((verb) => [verb, 'store.db', ...json]),
    ['du', 'store.db', '--age', ...json],
    ['executions', 'store.db', '--all', '--job', 'job-6', ...json],
    ['dump', 'store.db', '--all', ...json],
    ['export', 'store.db'],
    ['changes', 'store.db', '--all', ...json],
    ['keys', 'store.db', 'index', '--all', ...json],
    ['get', 'store.db', 'executions', 'exec-5', ...json],
    ...ids.flatMap((id) => [
      ['execution', 'store.db', `exec-${id}`, ...json],
      ['history', 'store.db', `exec-${id}`, ...json],
    ]),
  ]
  if (kind === 'executions') {
    return [
      ...common,
      ['executions', 'store.db', '--all', ...json],
      ['recover', 'store.db', '--plan', ...json],
      ['why', 'store.db', 'exec-2', ...json],
    ]
  }
  const queries = ['--state=Running', '--type=service', '--label=team=blue', '--in-progress']
  return [
    ...common,
    ...queries.map((query) => ['jobs', 'store.db', query, '--all', ...json]),
    ['jobs', 'store.db', '--all', ...json],
    ['evaluations', 'store.db', '--all', ...json],
    ...ids.flatMap((id) => [
      ['job', 'store.db', `name-${id}`, ...json],
      ['why', 'store.db', `job-${id}`, ...json],
    ]),
  ]
}

/** Asks a copy of a store everything that will be compared; the damaged ones are copies too. */
export async function soundStore(
  session: AnsweringSession,
  original: string,
  kind: StoreKind,
): Promise<SoundStore> {
  const path = join(original, '../copy/store.db')
  mkdirSync(join(path, '..'))
  copyFileSync(original, path)
  const commands = readCommands(kind)
  const answers = await session.ask(path, commands, true)
  const exported = (await session.ask(path, [['export', 'store.db', '--show-secrets']], true))?.[0]
  const wrong = answers?.find(({ status }) => status !== 0)
  if (wrong !== undefined || answers === null || exported === undefined)
    throw new Error(`the sound store: ${wrong?.command} ${wrong?.stderr}`)
  return { session, path, kind, commands, answers, rows: rowsOf(exported) }
}

/**
 * Damages a copy of a store and returns every promise that was broken, as sentences: no command and no `check` of the
 * library crashes or takes more than a minute, a changed answer is a finding of `check`, no listing drops a record in
 * silence, `repair` and `salvage` make a sound store and account for what is lost.
 */
export async function judgeDamage(
  sound: SoundStore,
  directory: string,
  { damage, seed }: DamageCase,
): Promise<string[]> {
  const place = join(realpathSync(directory), `damage-${seed}`)
  mkdirSync(place)
  try {
    const path = join(place, 'store.db')
    writeDamaged(sound.path, path, damage, seed)
    const library = ['owner', 'reader'].map((role) => ['library-check', sound.kind, role])
    const [check, ...answers] = await askCare(sound, place, [...CARE, ...library])
    if (check === undefined) throw new Error('nothing was answered')
    return [
      ...judgeTimes([check, ...answers]),
      ...judgeCheck(check),
      ...judgeRepair(sound, answers.slice(0, 3)),
      ...judgeSalvage(sound, answers.slice(3, 6)),
      ...answers.slice(6).flatMap((answer) => judgeLibrary(check, answer)),
    ]
  } finally {
    rmSync(place, { recursive: true })
  }
}

const CARE: readonly (readonly string[])[] = [
  ['check', 'store.db', '--output', 'json'],
  ['repair', 'store.db', 'repaired.db', '--output', 'json'],
  ['check', 'repaired.db', '--output', 'json'],
  ['export', 'repaired.db', '--show-secrets'],
  ['salvage', 'store.db', 'salvaged.db', '--output', 'json'],
  ['check', 'salvaged.db', '--output', 'json'],
  ['export', 'salvaged.db', '--show-secrets'],
]

/** The same for the commands that read. */
export async function judgeReading(
  sound: SoundStore,
  directory: string,
  { damage, seed }: DamageCase,
): Promise<string[]> {
  const place = join(realpathSync(directory), `reading-${seed}`)
  mkdirSync(place)
  try {
    writeDamaged(sound.path, join(place, 'store.db'), damage, seed)
    const [check] = await askCare(sound, place, CARE.slice(0, 1))
    if (check === undefined) throw new Error('nothing was answered')
    return await judgeAnswers(sound, place, check)
  } finally {
    rmSync(place, { recursive: true })
  }
}

/** Each command alone where one of them ends the process. */
async function askCare(
  { session }: SoundStore,
  place: string,
  commands: readonly (readonly string[])[],
): Promise<readonly Answer[]> {
  const path = join(place, 'store.db')
  const alive = await session.ask(path, commands, false)
  if (alive !== null) return alive
  for (const name of readdirSync(place)) if (name !== 'store.db') rmSync(join(place, name))
  const answers: Answer[] = []
  for (const command of commands) {
    if (command[0] !== 'library-check') answers.push(askAlone(place, command))
    else answers.push((await session.ask(path, [command], false))?.[0] ?? endedBy(command))
  }
  return answers
}

function endedBy(command: readonly string[]): Answer {
  return { command: JSON.stringify(command), status: -1, stdout: '', stderr: 'it ended the process', ms: 0 }
}

function judgeTimes(answers: readonly Answer[]): string[] {
  return answers.flatMap(({ command, ms }) =>
    ms > MAX_ANSWER_MS ? [`${command} took ${Math.round(ms / 1_000)} s`] : [],
  )
}

function judgeLibrary(check: Answer, { command, status, stdout, stderr }: Answer): string[] {
  if (![0, 1, 3].includes(status)) return [`${command} ended with ${status}: ${stderr.slice(0, 500)}`]
  return check.status === 0 && status !== 0
    ? [`check found nothing, and ${command} says ${stdout.slice(0, 500)}${stderr.slice(0, 500)}`]
    : []
}

function judgeCheck(check: Answer): string[] {
  if (check.status !== 0 && check.status !== 1 && check.status !== 3) {
    return [`check ended with ${check.status}: ${check.stderr.slice(0, 500)}`]
  }
  const { findings } = JSON.parse(check.stdout) as { findings: unknown[] }
  if (findings.length > 0 !== (check.status !== 0)) {
    return [`check has ${findings.length} findings and ends with ${check.status}`]
  }
  return []
}

async function judgeAnswers(sound: SoundStore, place: string, check: Answer): Promise<string[]> {
  const broken: string[] = []
  const path = join(place, 'store.db')
  const alive = await sound.session.ask(path, sound.commands, true)
  const answers = alive ?? sound.commands.map((command) => askAlone(place, command))
  for (const [index, { command, status, stdout, stderr }] of answers.entries()) {
    if (![0, 1, 2, 3].includes(status))
      broken.push(`${command} ended with ${status}: ${stderr.slice(0, 500)}`)
    if (stderr.includes('should not happen')) broken.push(`${command} said ${stderr.slice(0, 500)}`)
    const before = sound.answers[index]
    const same = before?.stdout === stdout && before.status === status
    if (!same && check.status === 0) {
      broken.push(`check found nothing, and ${command} answers ${difference(before?.stdout ?? '', stdout)}`)
    }
  }
  return [...broken, ...judgeTimes(answers), ...droppedRecords(sound.answers, answers)]
}

function judgeRepair(sound: SoundStore, [run, check, exported]: readonly Answer[]): string[] {
  if (run === undefined || check === undefined || exported === undefined) return ['repair answered nothing']
  if (run.status === 3 && run.stderr.includes('salvage')) return []
  if (run.status !== 0 && run.status !== 1)
    return [`repair ended with ${run.status}: ${run.stderr.slice(0, 500)}${run.stdout.slice(0, 500)}`]
  if (check.status !== 0) return [`the repaired store: ${check.stdout.slice(0, 1_000)}${check.stderr}`]
  const { rows } = JSON.parse(run.stdout) as Pick<Salvaged, 'rows'>
  const repaired = {
    rows,
    lostStretches: [],
    problems: [],
    foundApart: 0,
    isOneCommitBehind: null,
    countDifferences: [],
  }
  return judgeLosses(sound, rowsOf(exported), repaired).map((what) => `repair: ${what}`)
}

function judgeSalvage(sound: SoundStore, [run, check, exported]: readonly Answer[]): string[] {
  if (run === undefined || check === undefined || exported === undefined) return ['salvage answered nothing']
  // Something lost or left out is a finding.
  if (run.status !== 0 && run.status !== 1) {
    // Without either meta page nothing tells where anything is, and that is said.
    const hopeless = run.status === 3 && run.stderr.includes('has no meta page that can be read')
    return hopeless
      ? []
      : [`salvage ended with ${run.status}: ${run.stderr.slice(0, 500)}${run.stdout.slice(0, 500)}`]
  }
  if (check.status !== 0) return [`the salvaged store: ${check.stdout.slice(0, 1_000)}${check.stderr}`]
  return judgeLosses(sound, rowsOf(exported), JSON.parse(run.stdout) as Salvaged)
}

function judgeLosses(sound: SoundStore, saved: ReadonlyMap<string, string>, salvaged: Salvaged): string[] {
  const listed = new Set(salvaged.rows.map(({ table, key }) => `${table} ${key}`))
  const named = (table: string, key: string): boolean =>
    listed.has(`${table} ${key}`) ||
    salvaged.lostStretches.some(
      (stretch) =>
        (stretch.table === table || stretch.table === '(tables)') &&
        (stretch.from === null || stretch.from <= key) &&
        (stretch.to === null || key <= stretch.to),
    )
  const gone = [...sound.rows.keys()].filter((name) => !saved.has(name) && !listed.has(name))
  const broken = judgeListed(sound, saved, salvaged.rows, gone)
  for (const name of gone) {
    const [table = '', key = ''] = name.split(' ')
    if (named(table, key)) continue
    const told = COUNTED.has(table) ? salvaged.countDifferences : salvaged.problems
    // A row with a damaged key is listed under that.
    const isListed = salvaged.rows.some(
      (row) => row.table === table && !sound.rows.has(`${table} ${row.key}`),
    )
    if (told.length === 0 && !isListed) broken.push(`${name} is lost, and nothing tells of it`)
  }
  for (const [name, record] of saved) {
    // A rebuild writes into a history that lost entries what it was about.
    const isNote = name.startsWith('history ') && record.includes('"t":"Repair"')
    // On pages that nothing leads to, and in the commit before the last, there are rows that had been removed; either
    // is said.
    const isOld = salvaged.foundApart > 0 || salvaged.isOneCommitBehind === true
    if (!sound.rows.has(name) && !isNote && !isOld) broken.push(`${name} was in no table before`)
  }
  return broken
}

/**
 * A row that is listed as lost is not there, unless the key of one that is gone was damaged and now reads like this
 * one's, or a copy of it was found apart.
 */
function judgeListed(
  sound: SoundStore,
  saved: ReadonlyMap<string, string>,
  listed: readonly LostRow[],
  gone: readonly string[],
): string[] {
  const left = new Map<string, number>()
  for (const name of gone) {
    const table = tableOf(name)
    left.set(table, (left.get(table) ?? 0) + 1)
  }
  return listed.flatMap(({ table, key, reason }) => {
    const name = `${table} ${key}`
    const record = sound.rows.get(name)
    if (record === undefined || saved.get(name) !== record || reason.includes('found apart')) return []
    const others = left.get(table) ?? 0
    left.set(table, others - 1)
    return others > 0 ? [] : [`${name} is listed as lost, and it is there`]
  })
}

function tableOf(name: string): string {
  return name.slice(0, name.indexOf(' '))
}

/** The records of an exported store by table and key; those about the store itself are left out. */
function rowsOf({ stdout }: Answer): ReadonlyMap<string, string> {
  const rows = new Map<string, string>()
  for (const line of stdout.split('\n').slice(1)) {
    if (line === '') continue
    const { table, key, record } = JSON.parse(line) as { table: string; key: string; record: unknown }
    if (table !== 'meta') rows.set(`${table} ${key}`, JSON.stringify(record))
  }
  return rows
}

function askAlone(place: string, command: readonly string[]): Answer {
  const beginMs = performance.now()
  const { status, stdout, stderr } = inspect(place, ...command)
  const ms = performance.now() - beginMs
  return { command: JSON.stringify(command), status: status ?? -1, stdout, stderr, ms }
}

function difference(before: string, after: string): string {
  let at = 0
  while (at < before.length && before[at] === after[at]) at += 1
  return `…${after.slice(Math.max(0, at - 40), at + 80)}… instead of …${before.slice(Math.max(0, at - 40), at + 80)}…`
}
