import type { ExecutionStore, OutboxRow } from '@saltcod/store-core'
import type { Report } from '../link/link.ts'
import { bodyOf, reportIn } from './report-row.ts'

const PAGE = 500
/** As many as one change of the outbox takes. */
const AT_A_TIME = 500

/** Says by one report what an older and a newer one of the same execution say; of the events the newer one is left. */
export function foldedReport(older: Report, newer: Report): Report {
  return { ...older, ...newer, patch: { ...older.patch, ...newer.patch } }
}

/** Which reports are folded. */
export interface FoldRequest {
  readonly destination: string
  /** Of the executions of which one waits that was written before. */
  readonly olderThanMs: number
}

/**
 * Makes one report of all that wait of an execution, so that no more wait for a requester that stays away than there
 * are executions, however often those change. Resolves with how many rows there are less.
 */
export async function foldReports(
  store: Pick<ExecutionStore, 'readOutbox' | 'replaceOutbox'>,
  { destination, olderThanMs }: FoldRequest,
): Promise<number> {
  let fewer = 0
  for (const sequences of await foldable(store, destination, olderThanMs)) {
    for (let from = 0; from + 1 < sequences.length; from += AT_A_TIME)
      fewer += await fold(store, destination, sequences.slice(from, from + AT_A_TIME))
  }
  return fewer
}

/** Lists of each execution with several reports, of which one is old enough, where they are. */
async function foldable(
  store: Pick<ExecutionStore, 'readOutbox'>,
  destination: string,
  olderThanMs: number,
): Promise<number[][]> {
  const found = new Map<string, { readonly isOld: boolean; readonly sequences: number[] }>()
  for (let afterSequence = 0; ; ) {
    const rows = await store.readOutbox({ destination, afterSequence, limit: PAGE })
    for (const row of rows) {
      const report = reportIn(row)
      if (report === undefined) continue
      const known = found.get(report.executionId)
      if (known !== undefined) known.sequences.push(row.sequence)
      else found.set(report.executionId, { isOld: row.atMs < olderThanMs, sequences: [row.sequence] })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) break
    afterSequence = last.sequence
  }
  return [...found.values()].flatMap(({ isOld, sequences }) =>
    isOld && sequences.length > 1 ? [sequences] : [],
  )
}

async function fold(
  store: Pick<ExecutionStore, 'readOutbox' | 'replaceOutbox'>,
  destination: string,
  sequences: readonly number[],
): Promise<number> {
  let folded: Report | undefined
  const taken: number[] = []
  for (const sequence of sequences) {
    const [row] = await store.readOutbox({ destination, afterSequence: sequence - 1, limit: 1 })
    const report = row === undefined || !isAt(row, sequence) ? undefined : reportIn(row)
    if (report === undefined) continue
    folded = folded === undefined ? report : foldedReport(folded, report)
    taken.push(sequence)
  }
  if (folded === undefined || taken.length < 2) return 0
  const outbox = [{ destination, body: bodyOf(folded) }]
  return (await store.replaceOutbox({ destination, sequences: taken, outbox })) - 1
}

/** It may have been acknowledged meanwhile. */
function isAt(row: OutboxRow, sequence: number): boolean {
  return row.sequence === sequence
}
