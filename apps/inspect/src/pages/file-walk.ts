import { parseTree, readMeta, TREE_BYTES, type TreeRoot } from './meta-pages.ts'
import { PageFile } from './page-file.ts'
import { type LostStretch, type PageProblem, TreeWalk } from './tree-walk.ts'

/** What a walk through a whole file tells of. */
export interface FileWalkEvents {
  readonly row: (table: string, key: Buffer, value: Buffer) => void
  readonly problem: (
    problem: Omit<PageProblem, 'rule'> & { readonly rule: PageProblem['rule'] | 'meta-damaged' },
  ) => void
  readonly lost: (stretch: LostStretch) => void
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
}

/**
 * Walks every tree of a stopped store file, a page at a time, without LMDB. Resolves with `null` where no
 * meta page can be read. The order of the rows is that of their tables' keys.
 */
export function walkFile(path: string, events: FileWalkEvents): FileWalkResult | null {
  const file = new PageFile(path)
  try {
    const meta = readMeta(file)
    const metaProblem = (message: string): void =>
      events.problem({ rule: 'meta-damaged', table: '', page: 0, message })
    if (typeof meta === 'string') {
      metaProblem(meta)
      return null
    }
    for (const problem of meta.problems) metaProblem(problem)
    if (file.fileBytes < (meta.lastPage + 1) * meta.pageBytes) {
      metaProblem(
        `the file has ${file.fileBytes} bytes where ${(meta.lastPage + 1) * meta.pageBytes} are in use`,
      )
    }
    const seen = new Uint8Array(meta.lastPage + 1)
    const walk = (
      table: string,
      tree: TreeRoot,
      row: (key: Buffer, value: Buffer, isTree: boolean) => void,
    ): void =>
      new TreeWalk(file, meta, seen, table, { row, problem: events.problem, lost: events.lost }).run(tree)
    walk('(free pages)', meta.freeTree, () => undefined)
    const tables: { name: string; tree: TreeRoot }[] = []
    walk('(tables)', meta.mainTree, (key, value, isTree) => {
      if (isTree && value.length >= TREE_BYTES) tables.push({ name: nameOf(key), tree: parseTree(value) })
    })
    for (const { name, tree } of tables) walk(name, tree, (key, value) => events.row(name, key, value))
    const reachedPages = seen.reduce((sum, reached) => sum + reached, 2)
    return {
      tables: tables.map(({ name }) => name),
      pages: meta.lastPage + 1,
      reachedPages,
      seen,
      pageBytes: meta.pageBytes,
      transaction: meta.transaction,
    }
  } finally {
    file.close()
  }
}

/** The name of a table without the zero byte that may end it. */
function nameOf(key: Buffer): string {
  const end = key.indexOf(0)
  return key.toString('utf8', 0, end < 0 ? key.length : end)
}
