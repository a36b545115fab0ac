import { join, relative, resolve } from 'node:path'
import type { Config } from './config.ts'
import { archiveIsThere } from './file-kind.ts'
import { writeKeptFile } from './kept-file.ts'
import type { NodeRole } from './settings/node.ts'
import type { StoreFinding } from './store-finding.ts'
import { describeRole } from './store-role.ts'
import { readTextFile } from './text-file.ts'

/** The name of the file in the repository directory that says which stores its nodes have had, and where. */
export const REMEMBERED_STORES_FILE_NAME = 'store-paths.json'

const MOST_PATHS = 20

/** A store that was there at an earlier start. */
export interface RememberedStore {
  readonly path: string
  /** The random id that the store was made with; absent for what has none, or was never opened. */
  readonly storeId?: string
  /** The id of its newest opening for writing, as of {@link seenAt} or later. */
  readonly incarnation?: string
  /** A sequence number that it had reached. */
  readonly sequence?: number
  /** The newest start that found it, in RFC 3339. */
  readonly seenAt: string
  /** It was put there on purpose, and the other store of the node was not worked with since. */
  readonly replaced?: boolean
}

/** What a repository remembers stores of. */
export type RememberedKind = NodeRole | 'archive'

const KINDS: readonly RememberedKind[] = ['requester', 'compute', 'archive']

/** The stores of each kind, the newest first. */
export type RememberedStores = { readonly [Kind in RememberedKind]: readonly RememberedStore[] }

/**
 * Reads which stores a repository has had. Returns `undefined` where it remembers none at all; what cannot be read
 * counts as that, and {@link unreadableMemory} tells it apart.
 */
export function readRememberedStores(repository: string): RememberedStores | undefined {
  const kept = readMemory(repository)
  if (kept === undefined || typeof kept === 'string') return undefined
  const entries = new Map<string, unknown>(Object.entries(kept))
  const storesOf = (kind: RememberedKind): RememberedStore[] =>
    ((entries.get(kind) ?? []) as readonly RememberedStore[]).map((store) => ({
      ...store,
      path: resolve(repository, store.path),
    }))
  return { requester: storesOf('requester'), compute: storesOf('compute'), archive: storesOf('archive') }
}

/** Says why it cannot be read which stores a repository has had; `undefined` where it can, or nothing is kept. */
export function unreadableMemory(repository: string): string | undefined {
  const kept = readMemory(repository)
  return typeof kept === 'string' ? kept : undefined
}

function readMemory(repository: string): object | string | undefined {
  const read = readTextFile(join(repository, REMEMBERED_STORES_FILE_NAME))
  if (read === undefined) return undefined
  if (!('text' in read)) return read.problem
  try {
    const kept: unknown = JSON.parse(read.text)
    if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return 'it holds no stores'
    return problemOf(new Map(Object.entries(kept))) ?? kept
  } catch {
    return 'it is not JSON'
  }
}

/** What is no store counts as unreadable with all the rest: passed over, a store that is gone would not be missed. */
function problemOf(entries: ReadonlyMap<string, unknown>): string | undefined {
  const kinds = KINDS.filter((kind) => entries.has(kind))
  if (kinds.length === 0) return 'it holds no stores'
  const wrong = kinds.find((kind) => {
    const stores = entries.get(kind)
    return !Array.isArray(stores) || !stores.every(isStore)
  })
  return wrong === undefined ? undefined : `what it says under ${wrong} is no list of stores`
}

function isStore(value: unknown): value is RememberedStore {
  if (typeof value !== 'object' || value === null) return false
  const {
    path,
    storeId = '',
    incarnation = '',
    sequence = 0,
    seenAt,
    replaced = true,
  } = value as Partial<Record<keyof RememberedStore, unknown>>
  const texts = [path, storeId, incarnation, seenAt]
  return texts.every((text) => typeof text === 'string') && typeof sequence === 'number' && replaced === true
}

/** What an open store says of itself. */
export type OpenedStore = Pick<RememberedStore, 'storeId' | 'incarnation' | 'sequence'>

/** The open stores of a node, by the role that each belongs to. */
export type OpenedStores = { readonly [Role in NodeRole]?: OpenedStore | undefined }

/** What {@link rememberStores} needs. */
export interface RememberStoresOptions {
  readonly config: Config
  readonly nodeId: string
  /**
   * The stores are open: what is remembered is brought up to date. Without it only what is not known yet is written.
   */
  readonly opened?: OpenedStores
  /** Both stores were worked with: what was put there on purpose is like any other from now on. Default: false. */
  readonly met?: boolean
  readonly nowMs: number
}

/**
 * Makes the repository directory remember the stores and the archive that a node has, so that a later start can say
 * that one is gone, or where it has been. Returns a warning for each that is another than at the last start. Throws
 * what the system says where it cannot be written.
 */
export function rememberStores({
  config,
  nodeId,
  opened,
  met = false,
  nowMs,
}: RememberStoresOptions): readonly StoreFinding[] {
  const before = readRememberedStores(config.dataDir)
  const known = before ?? { requester: [], compute: [], archive: [] }
  const seenAt = new Date(nowMs).toISOString()
  const now = new Map<RememberedKind, readonly RememberedStore[]>()
  const findings: StoreFinding[] = []
  const see = (kind: RememberedKind, path: string, store: OpenedStore = {}): void => {
    const earlier = known[kind].find((store) => store.path === path)
    if (opened === undefined && earlier !== undefined && known[kind][0] === earlier) return
    const id = store.storeId ?? earlier?.storeId
    const others = known[kind].filter((other) => other !== earlier)
    const { seenAt: _, path: __, replaced, ...before } = earlier ?? { seenAt, path }
    const told = store.storeId === undefined ? before : store
    const kept = replaced === true && !met ? { replaced } : {}
    now.set(kind, [{ path, ...told, seenAt, ...kept }, ...others].slice(0, MOST_PATHS))
    if (earlier?.storeId !== undefined && earlier.storeId !== id) {
      findings.push({
        kind: 'other-store',
        severity: 'warn',
        paths: [path],
        message: `the store at ${path} has the id ${id}, but the one that was there at ${earlier.seenAt} had the id ${earlier.storeId}`,
        hint: 'after a repair or salvage that is so; otherwise look whether the right volume is mounted',
      })
    }
  }
  /** What begins in the place of a store that is gone is another one, and nothing to warn of. */
  const forgetId = (kind: RememberedKind, path: string): void => {
    if (!known[kind].some((store) => store.path === path && store.storeId !== undefined)) return
    now.set(
      kind,
      known[kind].map((store) =>
        store.path === path ? { path, seenAt: store.seenAt, replaced: true } : store,
      ),
    )
  }
  const durable = config.roles
    .map((role) => describeRole(config, nodeId, role))
    .filter(({ memory }) => !memory)
  for (const { role, kind, path } of durable) {
    if (kind === 'file') see(role, path, opened?.[role])
    else forgetId(role, path)
  }
  const { directory } = config.archive
  if (directory !== undefined && archiveIsThere(directory)) see('archive', directory)
  // Also where there is nothing yet: a start that was cut short is told from a store that was lost by that.
  if (now.size > 0 || before === undefined) {
    write(config.dataDir, { ...known, ...Object.fromEntries(now) })
  }
  return findings
}

/**
 * Has the repository remember another store at a path, because one was put there on purpose; of an empty `store` only
 * that there is one. Returns whether it remembered that path at all; nothing is written where it did not. Throws what
 * the system says where it cannot be written.
 */
export function rememberReplacement(repository: string, path: string, store: OpenedStore): boolean {
  const known = readRememberedStores(repository)
  const all = known === undefined ? [] : [...known.requester, ...known.compute]
  if (known === undefined || !all.some((other) => other.path === path)) return false
  const replaced = (stores: readonly RememberedStore[]): RememberedStore[] =>
    stores.map((other) =>
      other.path === path ? { path, ...store, seenAt: other.seenAt, replaced: true } : other,
    )
  write(repository, { ...known, requester: replaced(known.requester), compute: replaced(known.compute) })
  return true
}

/** Tells whether the store of a role was put at its path on purpose, and not worked with since. */
export function wasReplaced(config: Config, nodeId: string, role: NodeRole): boolean {
  const { path } = describeRole(config, nodeId, role)
  const store = readRememberedStores(config.dataDir)?.[role].find((other) => other.path === path)
  return store?.replaced === true
}

/** Paths in the repository are kept relative to it, so that they stay right where it is moved. */
function write(repository: string, stores: RememberedStores): void {
  const kept = Object.entries(stores).map(([kind, list]) => [
    kind,
    list.map((store) => {
      const inside = relative(repository, store.path)
      return { ...store, path: inside.startsWith('..') ? store.path : inside }
    }),
  ])
  const text = `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`
  writeKeptFile(join(repository, REMEMBERED_STORES_FILE_NAME), text)
}
