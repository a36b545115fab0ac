import { keyToHex } from '../kv/tuple.ts'
import type { CheckOptions, Finding } from '../model/check-report.ts'
import { damagedRowAt } from '../rows/quarantine.ts'
import type { TableName } from '../rows/tables.ts'

const DEFAULT_MAX_FINDINGS = 1_000
const MAX_STRANDED = 100
const PROGRESS_ROWS = 1_000

/** What to do about each broken rule. */
const FIXES = {
  'record-corrupt': 'restore the record from a backup, or let salvage leave it out',
  'record-without-index': 'repair rebuilds the indexes',
  'index-without-record': 'repair rebuilds the indexes',
  'index-unknown': 'repair rebuilds the indexes',
  'counter-wrong': 'repair counts anew',
  'feed-total-wrong': 'repair counts anew',
  'spec-missing': 'restore the job from a backup, or delete it',
  'spec-bytes-wrong': 'repair counts anew',
  'job-version-wrong': 'repair takes the version of the job that is there',
  orphan: 'repair removes rows whose owner is gone',
  'finish-time-wrong': 'repair sets the time of the state',
  'end-reason-wrong': 'repair leaves the reason out',
  'state-unknown': 'restore the record from a backup',
  'history-illegal': 'compare with a backup; the store itself refuses such a step',
  'history-end': 'compare with a backup; repair notes the loss in the history',
  'history-revision': 'compare with a backup; an entry was lost or added',
  'folded-and-loose': 'repair takes the folded row',
  'sequence-ahead': 'restore from a backup; the sequence was set back',
} as const

/** The stable name of a rule that a store must keep. */
export type Rule = keyof typeof FIXES

/** Which row is looked at; without a key some row of the table. */
export interface Place {
  readonly table: TableName
  readonly key?: Uint8Array
}

/** Collects findings up to a limit. */
export class Findings {
  readonly list: Finding[] = []
  readonly examined: Record<string, number> = {}
  readonly strandedJobIds: string[] = []
  truncated = false
  readonly #max: number
  readonly #onProgress: CheckOptions['onProgress']
  #rows = 0

  constructor(options: CheckOptions) {
    this.#onProgress = options.onProgress
    this.#max = options.maxFindings ?? DEFAULT_MAX_FINDINGS
  }

  /** Notes a job that nothing will move. */
  addStranded(jobId: string): void {
    if (this.strandedJobIds.length < MAX_STRANDED) this.strandedJobIds.push(jobId)
  }

  /** Adds a finding. */
  add(rule: Rule, table: TableName, key: Uint8Array | null, id: string, message: string): void {
    if (this.list.length >= this.#max) {
      this.truncated = true
      return
    }
    this.list.push({ rule, table, key: key === null ? '' : keyToHex(key), id, message, fix: FIXES[rule] })
  }

  /**
   * Runs a step; a damaged record that it meets becomes a finding, once, instead of an end. Of a damaged key the error
   * does not tell whose it is: that is the row at `place`.
   */
  guard<T>(step: () => T, place: Place): T | undefined {
    try {
      return step()
    } catch (error) {
      const damaged = damagedRowAt(error, place.table, place.key ?? new Uint8Array(0))
      if (damaged === null) throw error
      const known = this.list.some(
        (finding) => finding.table === damaged.table && finding.key === damaged.key,
      )
      if (!known) {
        this.add(
          'record-corrupt',
          damaged.table as TableName,
          Buffer.from(damaged.key, 'hex'),
          '',
          damaged.reason,
        )
      }
      return undefined
    }
  }

  /** Counts a row that was looked at. */
  look(table: TableName): void {
    this.examined[table] = (this.examined[table] ?? 0) + 1
    this.#rows += 1
    if (this.#rows % PROGRESS_ROWS === 0) this.#onProgress?.(this.#rows)
  }
}
