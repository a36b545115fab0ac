import type { ChangeSet, DurableStore, FeedCursor, FeedPage, StateCount } from '@saltcod/store-core'
import { findLmdbOwner, type LmdbOwner } from '@saltcod/store-lmdb'
import type { OpenedStore } from '../store/open-store.ts'
import { type RecentFailure, recentFailures } from './recent-failures.ts'
import { type StateAge, stateAges } from './state-ages.ts'
import { findTrouble, type Trouble } from './trouble.ts'

/** Bytes of a file; `null` where telling them would take a walk through all of it. */
export interface FileSizes {
  readonly fileBytes: number
  readonly usedBytes: number | null
  readonly freeBytes: number | null
}

/** What an operator wants to know first of a store. */
export interface Overview {
  readonly path: string
  readonly kind: 'jobs' | 'executions'
  readonly nodeId: string | null
  /** The program that wrote it, and of which releases it is. */
  readonly writtenBy: string
  readonly owner: LmdbOwner
  readonly counts: readonly StateCount[]
  readonly ages: readonly StateAge[]
  readonly trouble: readonly Trouble[]
  readonly failures: readonly RecentFailure[]
  readonly lastChanges: readonly ChangeSet[]
  readonly sizes: FileSizes | null
  readonly nextDeadlineMs: number | null
  /** What else is told of a store of ours and not by this file. */
  readonly untold: readonly string[]
  readonly nowMs: number
}

const LAST_CHANGES = 5

/** Finds out what an operator wants to know of a store of ours, from indexes and counters alone. */
export async function overviewOf(opened: OpenedStore, nowMs: number): Promise<Overview> {
  const owner = await findLmdbOwner(opened.path)
  const counts = await opened.store.counts()
  const ages = await stateAges(opened, counts)
  return {
    path: opened.path,
    kind: opened.kind,
    nodeId: opened.row.nodeId,
    writtenBy: 'Saltcod',
    owner,
    counts,
    ages,
    trouble: await findTrouble(opened, owner, ages, nowMs),
    failures: await recentFailures(opened, nowMs),
    lastChanges: await newestChanges(opened.store),
    sizes: opened.store.capabilities.statistics?.() ?? null,
    nextDeadlineMs: await opened.store.nextDeadlineMs(),
    untold: [],
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
