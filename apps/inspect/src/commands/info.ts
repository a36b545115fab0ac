import { statSync } from 'node:fs'
import { bytesText, formatTable, localTime, printValue, type Terminal } from '@saltcod/cli-kit'
import type { StoreInfo } from '@saltcod/store-core'
import type { KvStatistics } from '@saltcod/store-core/backend'
import { findLmdbOwner, type LmdbOwner } from '@saltcod/store-lmdb'
import type { ReadOptions } from '../cli/options.ts'
import { rfcTime } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import { eachStore, type OpenedStore } from '../store/open-store.ts'

/** Prints what each store says of itself. */
export async function info(
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
  const value = many || found.length === 0 ? { stores: found.map(rowOf) } : found.map(rowOf)[0]
  printValue(terminal, options.output, value, () => found.map((facts) => textOf(terminal, facts)).join('\n'))
  return code
}

interface Facts {
  readonly info: StoreInfo
  readonly owner: LmdbOwner
  readonly statistics: KvStatistics | null
  readonly mode: string
  readonly uid: number
}

async function factsOf({ path, store }: OpenedStore): Promise<Facts> {
  const { mode, uid } = statSync(path)
  return {
    info: await store.info(),
    owner: await findLmdbOwner(path),
    statistics: store.capabilities.statistics?.() ?? null,
    mode: (mode & 0o777).toString(8).padStart(4, '0'),
    uid,
  }
}

function rowOf({ info, owner, statistics, mode, uid }: Facts) {
  return {
    path: info.location,
    kind: info.kind,
    backend: info.backend,
    nodeId: info.nodeId,
    storeId: info.storeId,
    schemaVersion: info.schemaVersion,
    owner,
    sequence: info.sequence,
    createdAt: rfcTime(info.createdAtMs),
    lastChangeAt: info.lastChangeAtMs === 0 ? null : rfcTime(info.lastChangeAtMs),
    quarantined: info.quarantined,
    incarnations: info.incarnations.map(({ id, firstSequence, openedAtMs }) => ({
      id,
      firstSequence,
      openedAt: rfcTime(openedAtMs),
    })),
    fileBytes: statistics?.fileBytes ?? null,
    usedBytes: statistics?.usedBytes ?? null,
    freeBytes: statistics?.freeBytes ?? null,
    mode,
    uid,
  }
}

/** Writes who has a store open, in words. */
export function ownerText(owner: LmdbOwner): string {
  if (owner.running) return owner.processId === null ? 'running' : `running, process ${owner.processId}`
  return { none: 'no node has it', closed: 'stopped in good order', died: 'not running; it died' }[
    owner.lastEnd
  ]
}

function textOf(terminal: Terminal, { info, owner, statistics, mode, uid }: Facts): string {
  const opened = info.incarnations[0]
  const rows: string[][] = [
    ['Path', info.location],
    ['Kind', `${info.kind} (${info.backend}, schema ${info.schemaVersion})`],
    ['Node', info.nodeId ?? '-'],
    ['Store id', info.storeId],
    ['Node process', ownerText(owner)],
    ['Created', localTime(info.createdAtMs)],
    ['Last opened', opened === undefined ? '-' : localTime(opened.openedAtMs)],
    ['Last change', info.lastChangeAtMs === 0 ? '-' : localTime(info.lastChangeAtMs)],
    ['Sequence', String(info.sequence)],
    ['Quarantined', String(info.quarantined)],
    ['Mode, user', `${mode}, ${uid}`],
  ]
  if (statistics !== null) {
    const { fileBytes, usedBytes, freeBytes } = statistics
    rows.push([
      'File',
      `${bytesText(fileBytes)}: ${bytesText(usedBytes)} used, ${bytesText(freeBytes)} free inside`,
    ])
  }
  return formatTable(terminal, [], rows)
}
