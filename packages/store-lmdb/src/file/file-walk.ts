import { damagedError } from '../refusal.ts'
import { findCommit } from './current-commit.ts'
import { DataFile } from './data-file.ts'
import { byTransaction, FreeList } from './free-list.ts'
import { type MetaPage, parseTree, TREE_BYTES, type TreeRoot } from './meta-page.ts'
import { parseHeader } from './tree-page.ts'
import { type KeyOrder, type LostStretch, type PageProblem, TreeWalk, type WalkedRow } from './tree-walk.ts'

const PROGRESS_ROWS = 1_000

/** A row of a table of the file. */
export interface FileRow {
  readonly table: string
  readonly key: Buffer
  readonly value: Buffer
}

/** What a walk through a whole file tells of besides rows. */
export interface FileWalkEvents {
  readonly problem: (
    problem: Omit<PageProblem, 'rule'> & {
      readonly rule: PageProblem['rule'] | 'meta-damaged' | 'free-list-damaged' | 'free-list-short'
    },
  ) => void
  readonly lost: (stretch: LostStretch) => void
  /** Called now and then with how many rows were read. */
  readonly progress?: (rows: number, ofRows: number) => void
}

/** What a walk through a whole file found of it. */
export interface FileWalkResult {
  readonly tables: readonly string[]
  readonly pages: number
  readonly reachedPages: number
  /** One byte for each page: 1 where it was reached. */
  readonly seen: Uint8Array
  readonly pageBytes: number
  readonly transaction: bigint
  /** Whether a later commit had a meta page that cannot be read. `true` and `false` are sure, `undefined` is not. */
  readonly isBehind: boolean | undefined
}

/**
 * Walks every tree of a stopped store file, a page at a time, without LMDB, and yields the rows of its tables
 * in the order of their keys. Returns `null` where no meta page can be read.
 */
export function* walkFile(
  path: string,
  events: FileWalkEvents,
): Generator<FileRow, FileWalkResult | null, undefined> {
  const file = new DataFile(path)
  try {
    const commit = findCommit(file)
    const metaProblem = (message: string): void =>
      events.problem({ rule: 'meta-damaged', table: '', page: 0, message })
    if (typeof commit === 'string') {
      metaProblem(commit)
      return null
    }
    const { meta: said } = commit
    for (const problem of commit.problems) metaProblem(problem)
    if (file.fileBytes < (said.lastPage + 1) * said.pageBytes) {
      metaProblem(
        `the file has ${file.fileBytes} bytes where ${(said.lastPage + 1) * said.pageBytes} are in use`,
      )
    }
    const meta = withinFile(file, said)
    const seen = new Uint8Array(meta.lastPage + 1)
    let isWhole = commit.problems.length === 0
    const lost = (stretch: LostStretch): void => {
      isWhole = false
      events.lost(stretch)
    }
    const walk = (table: string, tree: TreeRoot, order?: KeyOrder): Generator<WalkedRow, void, undefined> =>
      new TreeWalk(file, meta, seen, table, { problem: events.problem, lost }).run(tree, order)
    const freeList = new FreeList(meta)
    for (const { key, value } of walk('(free pages)', meta.freeTree, byTransaction)) freeList.add(key, value)
    const tables: { name: string; tree: TreeRoot }[] = []
    for (const { key, value, isTree } of walk('(tables)', meta.mainTree)) {
      const name = nameOf(key)
      const problem = tableProblem(value, isTree)
      if (problem !== null) {
        const message = `the row of the table ${name} ${problem}`
        events.problem({ rule: 'page-damaged', table: '(tables)', page: 0, message })
      }
      if (value.length >= TREE_BYTES) tables.push({ name, tree: parseTree(value) })
      else lost({ table: '(tables)', page: 0, from: key, to: key, isLeaf: false })
    }
    const totalRows = tables.reduce((sum, { tree }) => sum + tree.entries, 0)
    let rows = 0
    for (const { name: table, tree } of tables) {
      for (const { key, value } of walk(table, tree)) {
        rows += 1
        if (rows % PROGRESS_ROWS === 0) events.progress?.(rows, totalRows)
        yield { table, key, value }
      }
    }
    const wrong = freeList.compare(seen)
    for (const message of wrong) events.problem({ rule: 'free-list-damaged', table: '', page: 0, message })
    // Pages below what was lost may be in use, and a list that is wrong is known to be.
    const left = isWhole && wrong.length === 0 ? freeList.leftOut(seen) : null
    if (left !== null) events.problem({ rule: 'free-list-short', table: '', page: 0, message: left })
    const reachedPages = seen.reduce((sum, reached) => sum + reached, 2)
    return {
      tables: tables.map(({ name }) => name),
      pages: meta.lastPage + 1,
      reachedPages,
      seen,
      pageBytes: meta.pageBytes,
      transaction: meta.transaction,
      isBehind: commit.isBehind,
    }
  } finally {
    file.close()
  }
}

/**
 * Reads all rows of one table of the current commit, without LMDB; nothing where the file has no such table. For small
 * tables. Throws `STORE_DAMAGED` where a page on the way is damaged.
 */
export function readTable(path: string, name: string): WalkedRow[] {
  return withTable(path, name, (file, meta, tree) => (tree === null ? [] : rowsOf(file, meta, name, tree)))
}

/** How long a file is, and how one of its tables stands in the current commit. */
export interface TableState {
  readonly usedBytes: number
  /**
   * The transaction that changed the table last; 0 while it has no rows. In a copy that LMDB made it is 1 for all of
   * them.
   */
  readonly changedIn: bigint
}

/** Reads how a table stands, without LMDB. Throws `STORE_DAMAGED` where a page on the way is damaged. */
export function stateOfTable(path: string, name: string): TableState {
  return withTable(path, name, (file, { lastPage, pageBytes }, tree) => {
    const usedBytes = (lastPage + 1) * pageBytes
    if (tree === null || tree.root === null) return { usedBytes, changedIn: 0n }
    const header = parseHeader(file.read(tree.root * pageBytes, pageBytes), tree.root)
    if (typeof header === 'string') throw damagedError(path, `page ${tree.root} ${header}`)
    return { usedBytes, changedIn: header.transaction }
  })
}

function withTable<T>(
  path: string,
  name: string,
  body: (file: DataFile, meta: MetaPage, tree: TreeRoot | null) => T,
): T {
  const file = new DataFile(path)
  try {
    const commit = findCommit(file)
    if (typeof commit === 'string') throw damagedError(path, commit)
    const meta = withinFile(file, commit.meta)
    const table = rowsOf(file, meta, '(tables)', meta.mainTree).find(
      ({ key, isTree }) => isTree && nameOf(key) === name,
    )
    return body(file, meta, table === undefined ? null : parseTree(table.value))
  } finally {
    file.close()
  }
}

/** Bounds the last page by the file: a damaged number may be any, and a walk takes memory for each page. */
function withinFile(file: DataFile, meta: MetaPage): MetaPage {
  return { ...meta, lastPage: Math.min(meta.lastPage, Math.ceil(file.fileBytes / meta.pageBytes) - 1) }
}

function rowsOf(file: DataFile, meta: MetaPage, table: string, tree: TreeRoot): WalkedRow[] {
  const problem = ({ message }: PageProblem): never => {
    throw damagedError(file.path, message)
  }
  const walk = new TreeWalk(file, meta, new Uint8Array(meta.lastPage + 1), table, {
    problem,
    lost: () => undefined,
  })
  return [...walk.run(tree)]
}

/** LMDB would sort a table with flags otherwise, or die of it. */
function tableProblem(value: Buffer, isTree: boolean): string | null {
  if (value.length < TREE_BYTES) return `has ${value.length} bytes`
  if (!isTree) return 'is not marked as one'
  const { flags } = parseTree(value)
  return flags === 0 ? null : `has the flags 0x${flags.toString(16)}`
}

/** The name of a table without the zero byte that may end it. */
function nameOf(key: Buffer): string {
  const end = key.indexOf(0)
  return key.toString('utf8', 0, end < 0 ? key.length : end)
}
