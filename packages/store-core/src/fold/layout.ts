import { tuple } from '../kv/tuple.ts'
import type { StoreKind } from '../rows/meta.ts'
import { INDEX, type TableName } from '../rows/tables.ts'

/**
 * What a table is to folding: it holds the owners, rows whose keys begin with their owner's (`part`), or rows
 * that only say to whom they belong (`member`).
 */
export type FoldRole = 'home' | 'part' | 'member'

/** Which rows of a kind of store are folded into one record, and where that record lies. */
export interface FoldLayout {
  /** The table of the owners. A folded owner has its record in place of its own row. */
  readonly home: TableName
  /** What the id of an owner begins with. */
  readonly idPrefix: 'j' | 'e'
  /** Tables whose keys begin with the owner's, in the order in which a record has them. */
  readonly parts: readonly { readonly table: TableName; readonly numbered: boolean }[]
  /** Whether executions are folded into their job. */
  readonly hasMembers: boolean
  readonly roles: Readonly<Partial<Record<string, FoldRole>>>
}

/** The table of rows that only say to whom they belong. */
export const MEMBER_TABLE = 'executions' as const

const JOBS: FoldLayout = {
  home: 'jobs',
  idPrefix: 'j',
  parts: [
    { table: 'specs', numbered: true },
    { table: 'history', numbered: true },
  ],
  hasMembers: true,
  roles: { jobs: 'home', specs: 'part', history: 'part', executions: 'member' },
}

const EXECUTIONS: FoldLayout = {
  home: 'executions',
  idPrefix: 'e',
  parts: [
    { table: 'specs', numbered: false },
    { table: 'history', numbered: true },
  ],
  hasMembers: false,
  roles: { executions: 'home', specs: 'part', history: 'part' },
}

/** Returns how a kind of store folds. */
export function layoutOf(kind: StoreKind): FoldLayout {
  return kind === 'jobs' ? JOBS : EXECUTIONS
}

/** Returns the layout of the store whose folded records lie in a table; `null` where none do. */
export function layoutOfHome(table: string): FoldLayout | null {
  if (table === JOBS.home) return JOBS
  return table === EXECUTIONS.home ? EXECUTIONS : null
}

/** Beginning of the index rows that tell in which job an execution is folded. */
export const POINTER_PREFIX: Uint8Array = tuple(INDEX.executionFolded)

/** The index row that tells in which job an execution is folded; its value is the key of the job. */
export function pointerKey(executionKey: Uint8Array): Uint8Array {
  return tuple(POINTER_PREFIX, executionKey)
}

const UUID_CODE = 0x30
const TEXT_CODE = 0x02
const ID_BYTES = 17

/** Returns the first part of a key, which names its owner; `null` where the key begins with no whole id. */
export function ownerOf(key: Uint8Array): Uint8Array | null {
  if (key[0] === UUID_CODE) return key.length < ID_BYTES ? null : key.subarray(0, ID_BYTES)
  if (key[0] !== TEXT_CODE) return null
  for (let end = key.indexOf(0, 1); end > 0; end = key.indexOf(0, end + 2)) {
    if (key[end + 1] !== 0xff) return key.subarray(0, end + 1)
  }
  return null
}

/** Tells whether a key begins with the bytes of another. */
export function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return key.length >= prefix.length && Buffer.compare(key.subarray(0, prefix.length), prefix) === 0
}

const ZERO_CODE = 0x14

/** Returns the key of a record that stands behind a beginning and a time in a key of an index. */
export function keyBehindTime(indexKey: Uint8Array, beginning: Uint8Array): Uint8Array {
  const timeBytes = Math.abs((indexKey[beginning.length] ?? ZERO_CODE) - ZERO_CODE)
  return indexKey.subarray(beginning.length + 1 + timeBytes)
}
