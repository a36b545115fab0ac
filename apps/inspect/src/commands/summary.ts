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
import type { ReadOptions } from '../cli/options.ts'
import { recordsText, rfcTime, sizeText } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import type { Overview } from '../explain/overview.ts'
import type { StateAge } from '../explain/state-ages.ts'
import { Sources } from '../source/sources.ts'
import { ownerText } from './info.ts'

const MAX_CHANGES = 10
const MAX_MESSAGE = 120

/** Prints what an operator wants to know first: what there is, how old it is, what is stuck, and what to do next. */
export async function summary(
  terminal: Terminal,
  store: string,
  options: ReadOptions,
): Promise<ExitCode | undefined> {
  const found: Overview[] = []
  let many = false
  const code = await new Sources(terminal, store).each(async (source, total) => {
    many = total > 1
    found.push(await source.overview(Date.now()))
  })
  const rows = found.map(rowOf)
  printValue(terminal, options.output, many || rows.length === 0 ? { stores: rows } : rows[0], () =>
    found.map((overview) => textOf(terminal, overview)).join('\n'),
  )
  return code
}

function rowOf(overview: Overview) {
  const { kind, counts, ages, trouble, failures, lastChanges, sizes, nextDeadlineMs } = overview
  const byState = (of: 'job' | 'execution' | 'evaluation'): Record<string, number> => {
    const sums: Record<string, number> = {}
    for (const count of counts) {
      if (count.kind === of) sums[count.state] = (sums[count.state] ?? 0) + count.records
    }
    return sums
  }
  return {
    path: overview.path,
    kind,
    nodeId: overview.nodeId,
    writtenBy: overview.writtenBy,
    owner: overview.owner,
    ...(kind === 'jobs' ? { jobs: byState('job') } : {}),
    executions: byState('execution'),
    ...(kind === 'jobs' ? { evaluations: byState('evaluation') } : {}),
    states: ages.map(({ oldestSinceMs, newestSinceMs, ...age }) => ({
      ...age,
      oldestSince: rfcTime(oldestSinceMs),
      newestSince: rfcTime(newestSinceMs),
    })),
    stuck: trouble,
    recentFailures: failures.map(({ atMs, ...failure }) => ({ ...failure, at: rfcTime(atMs) })),
    nextDeadlineAt: rfcTime(nextDeadlineMs),
    lastChanges: lastChanges.map(({ sequence, atMs, changes }) => ({ sequence, at: rfcTime(atMs), changes })),
    fileBytes: sizes?.fileBytes ?? null,
    usedBytes: sizes?.usedBytes ?? null,
    freeBytes: sizes?.freeBytes ?? null,
    counts,
    untold: overview.untold,
  }
}

function textOf(terminal: Terminal, overview: Overview): string {
  const { kind, nodeId, owner, ages, trouble, nextDeadlineMs, untold, nowMs } = overview
  const title = (text: string): string => paint(terminal, 'bold', text)
  const head = `${title(`${kind} of node ${printable(nodeId ?? '(none)')}`)}  ${printable(overview.path)}\n`
  const node = `${untold.length === 0 ? '' : `written by ${overview.writtenBy}\n`}node: ${ownerText(owner)}${sizesText(overview)}\n`
  const stuck =
    trouble.length === 0
      ? `${paint(terminal, 'green', 'nothing is stuck')}${untold.length === 0 ? '' : ', as far as the file tells'}\n`
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
  const rest = untold.length === 0 ? '' : `not told by this file: ${untold.join('; ')}\n`
  return `${head}${node}\n${agesText(terminal, ages, nowMs)}${evaluationsText(overview)}\n${stuck}${deadline}${rest}${failuresText(terminal, overview)}${changesText(terminal, overview)}`
}

function sizesText({ sizes }: Overview): string {
  if (sizes === null) return ''
  const used = sizes.usedBytes === null ? '' : `${bytesText(sizes.usedBytes)} used of `
  return `, ${used}${bytesText(sizes.fileBytes)} on disk`
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

function evaluationsText({ counts, kind, untold }: Overview): string {
  if (kind !== 'jobs' || untold.length > 0) return ''
  const pending = counts
    .filter(({ kind, state }) => kind === 'evaluation' && state === 'pending')
    .reduce((sum, { records }) => sum + records, 0)
  return `scheduler: ${pending === 0 ? 'nothing to do' : `${countOf(pending, 'evaluation')} to do`}\n`
}

function cut(text: string): string {
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text
}

function failuresText(terminal: Terminal, { failures, nowMs }: Overview): string {
  if (failures.length === 0) return ''
  const rows = failures.map(({ id, name, atMs, message }) => [
    `${span(nowMs - atMs)} ago`,
    name,
    shortId(id),
    cut(oneLine(message)) || 'nothing was said',
  ])
  return `\n${paint(terminal, 'bold', 'Failed lately')}\n${formatTable(terminal, [], rows)}`
}

function changesText(terminal: Terminal, { lastChanges, nowMs }: Overview): string {
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
  return `\n${paint(terminal, 'bold', 'Last changes')}\n${formatTable(terminal, [], rows.slice(0, MAX_CHANGES))}`
}
