import { isFailure } from '@saltcod/cli-kit'
import { type Finding, isStoreError, type StateCount } from '@saltcod/store-core'
import { findLmdbOwner } from '@saltcod/store-lmdb'
import type { Crash } from '../crash.ts'
import { checkPages, type PageReport } from '../file/check-pages.ts'
import { openStore } from './open-store.ts'
import { careHint, remedyHint } from './unreadable-store.ts'

interface Walked {
  readonly walked: boolean
  readonly hasMeta: boolean
  readonly unused: readonly Finding[]
}

/** Gets how much of a check is done. The total is `null` where the backend does not count its rows. */
export type OnProgress = (what: 'pages' | 'rows', done: number, total: number | null) => void

/** What the check of one store found. */
export interface StoreCheck {
  readonly path: string
  readonly findings: readonly Finding[]
  /** Findings that keep nobody from using the store: pages that its file has for nothing. */
  readonly unused: readonly Finding[]
  readonly truncated: boolean
  readonly examined: Readonly<Record<string, number>>
  readonly counts: readonly StateCount[]
  /** Jobs that nothing in the store will move. */
  readonly strandedJobIds: readonly string[]
  /** False where the store could not be opened, so that its rules could not be checked. */
  readonly readable: boolean
  /** Whether the pages were walked; only those of a stopped store are. */
  readonly pagesWalked: boolean
}

const FIX = 'keep the file; restore a backup, or let salvage save every record that can be decoded'

/**
 * Checks a store: of a stopped one first the pages, without LMDB, then every rule of the records. Where the
 * pages are damaged, LMDB does not get to see the file.
 */
export async function checkStoreFile(
  path: string,
  maxFindings: number,
  crash: Crash | undefined,
  onProgress: OnProgress = () => undefined,
): Promise<StoreCheck> {
  const crashed = crash !== undefined && crash.path === path
  const walked = !(await findLmdbOwner(path)).running
  let pages: PageReport | null = null
  try {
    if (walked) pages = checkPages(path, maxFindings, (done, total) => onProgress('pages', done, total))
  } catch (error) {
    if (!isStoreError(error)) throw error
    return refused(path, error, { walked: false, hasMeta: true, unused: [] })
  }
  const unused = pages?.unused ?? []
  const structure = [...(pages?.structure ?? [])]
  if (crashed) {
    structure.push(unreadable('open-died', `opening it with LMDB ended the process (${crash.signal})`))
  }
  if (structure.length > 0 && pages?.readable !== false) {
    return {
      path,
      findings: [...structure, ...(pages?.records ?? [])].slice(0, maxFindings),
      unused,
      truncated: pages?.truncated ?? false,
      examined: pages?.rows ?? {},
      counts: [],
      strandedJobIds: [],
      readable: false,
      pagesWalked: walked,
    }
  }
  return await checkRules(
    path,
    maxFindings,
    { walked, hasMeta: pages?.readable !== false, unused },
    onProgress,
  )
}

async function checkRules(
  path: string,
  maxFindings: number,
  walked: Walked,
  onProgress: OnProgress,
): Promise<StoreCheck> {
  try {
    const opened = await openStore(path)
    try {
      const statistics = opened.store.capabilities.statistics?.()
      const total =
        statistics === undefined || statistics.approximate === true
          ? null
          : statistics.tables.reduce((sum, { rows }) => sum + rows, 0)
      const { findings, truncated, examined, strandedJobIds } = await opened.store.check({
        maxFindings,
        onProgress: (rows) => onProgress('rows', rows, total),
      })
      const counts = await opened.store.counts()
      return {
        path,
        findings,
        unused: walked.unused,
        truncated,
        examined,
        counts,
        strandedJobIds,
        readable: true,
        pagesWalked: walked.walked,
      }
    } finally {
      await opened.kv.close()
    }
  } catch (error) {
    if (!isStoreError(error) && !isFailure(error)) throw error
    return refused(path, error, walked)
  }
}

function refused(path: string, error: Error, { walked, hasMeta, unused }: Walked): StoreCheck {
  const findings = [{ ...unreadable('store-unreadable', error.message), fix: fixOf(path, error, hasMeta) }]
  return {
    path,
    findings,
    unused,
    truncated: false,
    examined: {},
    counts: [],
    strandedJobIds: [],
    readable: false,
    pagesWalked: walked,
  }
}

function fixOf(path: string, error: Error, hasMeta: boolean): string {
  if (isStoreError(error, 'STORE_FOREIGN'))
    return 'give the path of a store file; if this was one, its first pages are lost: restore a backup'
  if (!isStoreError(error, 'STORE_DAMAGED')) {
    return (
      (isStoreError(error) ? remedyHint(error, path) : isFailure(error) ? error.hint : undefined) ??
      careHint(path)
    )
  }
  return hasMeta
    ? FIX
    : 'keep the file, and restore a backup: without a meta page salvage cannot tell where anything is'
}

function unreadable(rule: string, message: string): Finding {
  return { rule, table: '', key: '', id: '', message, fix: FIX }
}
