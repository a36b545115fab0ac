import {
  bytesText,
  countOf,
  formatTable,
  oneLine,
  paint,
  printable,
  printValue,
  shortId,
  span,
  type Terminal,
} from '@saltcod/cli-kit'
import type { ChangeSet, DurableStore, FeedCursor, FeedPage, StateCount } from '@saltcod/store-core'
import type { KvStatistics } from '@saltcod/store-core/backend'
import { findLmdbOwner, type LmdbOwner } from '@saltcod/store-lmdb'
import type { ReadOptions } from '../cli/options.ts'
import { recordsText, rfcTime, sizeText } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import { type RecentFailure, recentFailures } from '../explain/recent-failures.ts'
import { type StateAge, stateAges } from '../explain/state-ages.ts'
import { findTrouble, type Trouble } from '../explain/trouble.ts'
import { eachStore, type OpenedStore } from '../store/open-store.ts'
import { ownerText } from './info.ts'

const LAST_CHANGES = 5
const MAX_MESSAGE = 120

interface Facts {
  readonly opened: Pick<OpenedStore, 'path' | 'kind' | 'row'>
  readonly owner: LmdbOwner
  readonly counts: readonly StateCount[]
  readonly ages: readonly StateAge[]
  readonly trouble: readonly Trouble[]
  readonly failures: readonly RecentFailure[]
  readonly lastChanges: readonly ChangeSet[]
  readonly statistics: KvStatistics | null
  readonly nextDeadlineMs: number | null
  readonly nowMs: number
}

/** Prints what an operator wants to know first: what there is, how old it is, what is stuck, and what to do next. */
export async function summary(
  terminal: Terminal,
  store: string,
  options: ReadOptions,
): Promise<ExitCode | undefined> {
  const found: Facts[] = []
  let many = false
  const code = await eachStore(terminal, store, async (opened, total) => {
    many = total > 1
    found.push(await factsOf(opened))
  })
  const rows = found.map(rowOf)
  printValue(terminal, options.output, many || rows.length === 0 ? { stores: rows } : rows[0], () =>
    found.map((facts) => textOf(terminal, facts)).join('\n'),
  )
  return code
}

async function factsOf(opened: OpenedStore): Promise<Facts> {
  const nowMs = Date.now()
  const owner = await findLmdbOwner(opened.path)
  const counts = await opened.store.counts()
  const ages = await stateAges(opened, counts)
  return {
    opened,
    owner,
    counts,
    ages,
    trouble: await findTrouble(opened, owner, ages, nowMs),
    failures: await recentFailures(opened, nowMs),
    lastChanges: await newestChanges(opened.store),
    statistics: opened.store.capabilities.statistics?.() ?? null,
    nextDeadlineMs: await opened.store.nextDeadlineMs(),
    nowMs,
  }
}

/** Passes over what is damaged. */
async function newestChanges(store: DurableStore): Promise<ChangeSet[]> {
  const found: ChangeSet[] = []
  let after: FeedCursor | null = null
  while (found.length < LAST_CHANGES) {
    const page: FeedPage = await store.changes({ after, reverse: true, limit: LAST_CHANGES - found.length })
    if (page.changeSets.length === 0 && page.gap === null) break
    found.push(...page.changeSets)
    after = page.cursor
  }
  return found
}

function rowOf(facts: Facts) {
  const { opened, owner, counts, ages, trouble, failures, lastChanges, statistics, nextDeadlineMs } = facts
  const byState = (kind: 'job' | 'execution' | 'evaluation'): Record<string, number> => {
    const sums: Record<string, number> = {}
    for (const count of counts) {
      if (count.kind === kind) sums[count.state] = (sums[count.state] ?? 0) + count.records
    }
    return sums
  }
  return {
    path: opened.path,
    kind: opened.kind,
    nodeId: opened.row.nodeId,
    owner,
    ...(opened.kind === 'jobs' ? { jobs: byState('job') } : {}),
    executions: byState('execution'),
    ...(opened.kind === 'jobs' ? { evaluations: byState('evaluation') } : {}),
    states: ages.map(({ oldestSinceMs, newestSinceMs, ...age }) => ({
      ...age,
      oldestSince: rfcTime(oldestSinceMs),
      newestSince: rfcTime(newestSinceMs),
    })),
    stuck: trouble,
    recentFailures: failures.map(({ atMs, ...failure }) => ({ ...failure, at: rfcTime(atMs) })),
    nextDeadlineAt: rfcTime(nextDeadlineMs),
    lastChanges: lastChanges.map(({ sequence, atMs, changes }) => ({ sequence, at: rfcTime(atMs), changes })),
    fileBytes: statistics?.fileBytes ?? null,
    usedBytes: statistics?.usedBytes ?? null,
    freeBytes: statistics?.freeBytes ?? null,
    counts,
  }
}

function textOf(terminal: Terminal, facts: Facts): string {
  const { opened, owner, ages, trouble, statistics, nextDeadlineMs, nowMs } = facts
  const title = (text: string): string => paint(terminal, 'bold', text)
  const size =
    statistics === null
      ? ''
      : `, ${bytesText(statistics.usedBytes)} used of ${bytesText(statistics.fileBytes)} on disk`
  const head = `${title(`${opened.kind} of node ${opened.row.nodeId ?? '(none)'}`)}  ${printable(opened.path)}\n`
  const node = `node: ${ownerText(owner)}${size}\n`
  const stuck =
    trouble.length === 0
      ? `${paint(terminal, 'green', 'nothing is stuck')}\n`
      : trouble
          .map(
            ({ message, advice }) =>
              `${paint(terminal, 'red', '!')} ${printable(message)}\n    ${printable(advice)}\n`,
          )
          .join('')
  const deadline =
    nextDeadlineMs !== null && nextDeadlineMs > nowMs
      ? `next deadline in ${span(nextDeadlineMs - nowMs)}\n`
      : ''
  return `${head}${node}\n${agesText(terminal, ages, nowMs)}${evaluationsText(facts)}\n${stuck}${deadline}${failuresText(terminal, facts)}${changesText(terminal, facts)}`
}

function agesText(terminal: Terminal, ages: readonly StateAge[], nowMs: number): string {
  if (ages.length === 0) return 'no records yet\n'
  const age = (sinceMs: number | null): string => (sinceMs === null ? '-' : `${span(nowMs - sinceMs)} ago`)
  const rows = ages.map((state) => [
    state.kind,
    state.state,
    recordsText(state),
    sizeText(state),
    age(state.oldestSinceMs),
    age(state.newestSinceMs),
  ])
  return formatTable(terminal, ['KIND', 'STATE', 'RECORDS', 'BYTES', 'OLDEST', 'NEWEST'], rows)
}

function evaluationsText({ counts, opened }: Facts): string {
  if (opened.kind !== 'jobs') return ''
  const pending = counts
    .filter(({ kind, state }) => kind === 'evaluation' && state === 'pending')
    .reduce((sum, { records }) => sum + records, 0)
  return `scheduler: ${pending === 0 ? 'nothing to do' : `${countOf(pending, 'evaluation')} to do`}\n`
}

function cut(text: string): string {
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text
}

function failuresText(terminal: Terminal, { failures, nowMs }: Facts): string {
  if (failures.length === 0) return ''
  const rows = failures.map(({ id, name, atMs, message }) => [
    `${span(nowMs - atMs)} ago`,
    name,
    shortId(id),
    cut(oneLine(message)) || 'nothing was said',
  ])
  return `\n${paint(terminal, 'bold', 'Failed lately')}\n${formatTable(terminal, [], rows)}`
}

function changesText(terminal: Terminal, { lastChanges, nowMs }: Facts): string {
  if (lastChanges.length === 0) return ''
  const rows = lastChanges.flatMap(({ atMs, changes }) =>
    changes.map(({ kind, id, previousState, state }) => [
      `${span(nowMs - atMs)} ago`,
      kind,
      shortId(id),
      previousState === state
        ? `changed, still ${state}`
        : `${previousState ?? 'new'} -> ${state ?? 'removed'}`,
    ]),
  )
  return `\n${paint(terminal, 'bold', 'Last changes')}\n${formatTable(terminal, [], rows.slice(0, LAST_CHANGES * 2))}`
}
