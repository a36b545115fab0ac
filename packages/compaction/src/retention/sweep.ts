import { isStoreError, type Page, type PageCursor, type RecordSize } from '@saltcod/store-core'
import type { Budget, Finished } from './budget.ts'
import type { Pace } from './pace.ts'

/** Why a record that the rules would remove stays. */
export type Refusal = 'held' | 'unfinished' | 'unacknowledged' | 'wanted'

/** A record that is to go. */
export interface Due<Item> {
  readonly item: Item
  readonly size: RecordSize
  readonly overdueMs: number
}

/** What became of a record that was to go; an error for one that could not be removed. */
export type Removal = 'removed' | 'held' | 'changed' | Error

/** A stretch of records, oldest first. */
export interface Walk<Item> {
  readonly page: (cursor: PageCursor | null) => Promise<Page<Item>>
  readonly budgetOf: (item: Item) => Budget | undefined
  /** Every budget of the stretch. */
  readonly budgets: readonly Budget[]
}

/** How records of one kind are looked at and removed. */
export interface Subject<Item> {
  /** Measures a record; `null` where it is gone. */
  readonly inspect: (item: Item) => Promise<RecordSize | Refusal | null>
  /** Removes records for good, and says of each what became of it. */
  readonly remove: (due: readonly Due<Item>[]) => Promise<readonly Removal[]>
}

/** A record that could not be removed. */
export interface RetentionFailure {
  readonly id: string
  readonly message: string
}

/** What a sweep found and did. */
export interface SweepReport {
  /** Records that went, or in a dry run would go. */
  readonly removed: number
  /** Bytes of their rows, index rows left out. */
  readonly removedBytes: number
  /** Left alone, because an operator holds them. */
  readonly held: number
  /** Left alone, because executions of them have not ended. */
  readonly unfinished: number
  /** Left alone, because the requester has not confirmed how they ended. */
  readonly unacknowledged: number
  /** Left alone, because the caller wants to keep them. */
  readonly wanted: number
  /** Left alone, because they changed meanwhile. */
  readonly changed: number
  readonly failed: number
  /** The first of the failed, at most 20. */
  readonly failures: readonly RetentionFailure[]
  /** For how long the oldest record that should be gone has been overdue, when it began. */
  readonly overdueBeforeMs: number
  /** The same when it ended (in a dry run: now); 0 where nothing is left that should be gone. */
  readonly overdueMs: number
  /** When the last of the removed had ended, in milliseconds since 1970; 0 where none was removed. */
  readonly removedUpToMs: number
  /** False where it was aborted before the end. */
  readonly complete: boolean
}

/** What a run reports that did nothing. */
export const NOTHING_DONE: SweepReport = {
  removed: 0,
  removedBytes: 0,
  held: 0,
  unfinished: 0,
  unacknowledged: 0,
  wanted: 0,
  changed: 0,
  failed: 0,
  failures: [],
  overdueBeforeMs: 0,
  overdueMs: 0,
  removedUpToMs: 0,
  complete: true,
}

const MAX_FAILURES = 20
const FATAL = ['STORE_CLOSED', 'STORE_FAILED', 'STORE_READ_ONLY', 'STORE_FULL', 'OUTCOME_UNKNOWN'] as const

/** Tells whether an error concerns the whole store, so that going on makes no sense. */
export function isFatal(error: unknown): boolean {
  return isStoreError(error, ...FATAL)
}

/** Removes what its budgets say, a page at a time, and gives others their turn in between. */
export class Sweep<Item extends Finished & { readonly id: string }> {
  readonly #subject: Subject<Item>
  readonly #pace: Pace
  readonly #dryRun: boolean
  readonly #onProgress: (report: SweepReport) => void
  readonly #failures: RetentionFailure[] = []
  readonly #sums: { -readonly [Sum in Exclude<keyof SweepReport, 'failures' | 'complete'>]: number } = {
    ...NOTHING_DONE,
  }
  #complete = true

  constructor(
    subject: Subject<Item>,
    pace: Pace,
    options: { readonly dryRun: boolean; readonly onProgress: (report: SweepReport) => void },
  ) {
    this.#subject = subject
    this.#pace = pace
    this.#dryRun = options.dryRun
    this.#onProgress = options.onProgress
  }

  get report(): SweepReport {
    return { ...this.#sums, failures: [...this.#failures], complete: this.#complete }
  }

  /** Goes along a stretch until nothing behind can be due. */
  async along(walk: Walk<Item>): Promise<void> {
    let cursor: PageCursor | null = null
    do {
      if (this.#pace.aborted) {
        await this.#stopAt(walk, cursor)
        return
      }
      const page: Page<Item> = await walk.page(cursor)
      const due: Due<Item>[] = []
      let over = false
      for (const item of page.items) {
        over = walk.budgets.every((budget) => budget.isClosed(item.finishedAtMs))
        if (over) break
        const overdueMs = walk.budgetOf(item)?.judge(item) ?? null
        if (overdueMs !== null) await this.#look(item, overdueMs, due)
      }
      if (due.length > 0) await this.#carryOut(due)
      await this.#pace.rest(due.length)
      cursor = over ? null : page.next
    } while (cursor !== null)
  }

  /** What was not reached is still there, and its oldest record says for how long it has been overdue. */
  async #stopAt(walk: Walk<Item>, cursor: PageCursor | null): Promise<void> {
    this.#complete = false
    const { items } = await walk.page(cursor)
    const due: Due<Item>[] = []
    for (const item of items) {
      const overdueMs = walk.budgetOf(item)?.judge(item) ?? null
      if (overdueMs !== null) await this.#look(item, overdueMs, due)
      if (due.length > 0) break
    }
    for (const { overdueMs } of due) this.#leave(overdueMs)
  }

  async #look(item: Item, overdueMs: number, due: Due<Item>[]): Promise<void> {
    try {
      const size = await this.#subject.inspect(item)
      if (size === null) this.#sums.changed += 1
      else if (typeof size === 'string') this.#sums[size] += 1
      else {
        this.#sums.overdueBeforeMs = Math.max(this.#sums.overdueBeforeMs, overdueMs)
        due.push({ item, size, overdueMs })
      }
    } catch (error) {
      this.#fail(item.id, overdueMs, error)
    }
  }

  async #carryOut(due: readonly Due<Item>[]): Promise<void> {
    const removals: readonly Removal[] = this.#dryRun
      ? due.map(() => 'removed')
      : await this.#subject.remove(due)
    for (const [index, { item, size, overdueMs }] of due.entries()) {
      const removal = removals[index]
      if (removal === 'removed') {
        this.#sums.removed += 1
        this.#sums.removedBytes += size.bytes
        this.#sums.removedUpToMs = Math.max(this.#sums.removedUpToMs, item.finishedAtMs)
        if (this.#dryRun) this.#leave(overdueMs)
      } else if (removal === 'held' || removal === 'changed') this.#sums[removal] += 1
      else this.#fail(item.id, overdueMs, removal)
    }
    this.#onProgress(this.report)
  }

  #fail(id: string, overdueMs: number, error: unknown): void {
    if (isFatal(error)) throw error
    this.#sums.failed += 1
    this.#leave(overdueMs)
    const message = error instanceof Error ? error.message : String(error)
    if (this.#failures.length < MAX_FAILURES) this.#failures.push({ id, message })
  }

  #leave(overdueMs: number): void {
    this.#sums.overdueMs = Math.max(this.#sums.overdueMs, overdueMs)
  }
}
