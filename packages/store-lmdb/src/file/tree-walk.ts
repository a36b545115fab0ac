import type { DataFile } from './data-file.ts'
import type { MetaPage, TreeRoot } from './meta-page.ts'
import {
  type LeafNode,
  OVERFLOW_HEADER_BYTES,
  parseBranchNode,
  parseHeader,
  parseLeafNode,
} from './tree-page.ts'

/** Something wrong with the structure of a file. */
export interface PageProblem {
  readonly rule: 'page-damaged' | 'page-reached-twice' | 'key-order' | 'tree-total-wrong'
  readonly table: string
  readonly page: number
  readonly message: string
}

/** A stretch of keys of a table that cannot be reached; a missing bound is open. */
export interface LostStretch {
  readonly table: string
  readonly page: number
  readonly from: Buffer | null
  readonly to: Buffer | null
  /** Whether the lost page was one of rows; above it, the pages of rows may still be somewhere in the file. */
  readonly isLeaf: boolean
}

/** A row that a walk came by; its bytes are not used again. */
export interface WalkedRow {
  readonly key: Buffer
  readonly value: Buffer
  /** The value is the description of a tree. */
  readonly isTree: boolean
}

/** What a walk tells of besides rows. */
export interface WalkEvents {
  readonly problem: (problem: PageProblem) => void
  readonly lost: (stretch: LostStretch) => void
}

/** Compares two keys as the tree sorts them. */
export type KeyOrder = (a: Buffer, b: Buffer) => number

interface Task {
  readonly page: number
  readonly level: number
  readonly from: Buffer | null
  readonly to: Buffer | null
}

interface Totals {
  branch: number
  leaf: number
  overflow: number
  entries: number
}

/** Walks one tree in key order, without LMDB: yields every row and tells of everything that is wrong. */
export class TreeWalk {
  readonly #file: DataFile
  readonly #meta: MetaPage
  /** One byte for each page that was reached, of all trees. */
  readonly #seen: Uint8Array
  readonly #table: string
  readonly #events: WalkEvents
  #totals: Totals = { branch: 0, leaf: 0, overflow: 0, entries: 0 }
  #previous: Buffer | null = null
  #order: KeyOrder = Buffer.compare
  #sound = true

  constructor(file: DataFile, meta: MetaPage, seen: Uint8Array, table: string, events: WalkEvents) {
    this.#file = file
    this.#meta = meta
    this.#seen = seen
    this.#table = table
    this.#events = events
  }

  *run(tree: TreeRoot, order: KeyOrder = Buffer.compare): Generator<WalkedRow, void, undefined> {
    this.#order = order
    if (tree.root === null) return
    const stack: Task[] = [{ page: tree.root, level: 1, from: null, to: null }]
    for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
      const children = yield* this.#visit(task, tree.depth)
      // The last is visited first, so the lowest must be on top.
      for (const child of children.reverse()) stack.push(child)
    }
    if (this.#sound) this.#compare(tree)
  }

  *#visit(task: Task, depth: number): Generator<WalkedRow, Task[], undefined> {
    const { page: number, level } = task
    const isLeafLevel = level >= depth
    if (!this.#take(number, 1, task, isLeafLevel)) return []
    const page = this.#file.read(number * this.#meta.pageBytes, this.#meta.pageBytes)
    const header =
      page.length < this.#meta.pageBytes ? 'lies behind the end of the file' : parseHeader(page, number)
    const wanted = isLeafLevel ? 'leaf' : 'branch'
    if (typeof header === 'string') return this.#lose(task, isLeafLevel, header)
    if (header.kind !== wanted)
      return this.#lose(task, isLeafLevel, `is a page of kind ${header.kind} where a ${wanted} belongs`)
    if (header.transaction > this.#meta.transaction) {
      return this.#lose(task, isLeafLevel, 'is newer than the newest transaction')
    }
    if (header.kind === 'branch') return this.#branch(task, page, header.count)
    this.#totals.leaf += 1
    const last = header.count - 1
    for (let index = 0; index <= last; index += 1) {
      const row = this.#leafNode(task, page, index, index === last)
      if (row !== null) yield row
    }
    return []
  }

  #branch(task: Task, page: Buffer, count: number): Task[] {
    this.#totals.branch += 1
    const nodes: { key: Buffer; child: number }[] = []
    for (let index = 0; index < count; index += 1) {
      const node = parseBranchNode(page, index)
      if (typeof node === 'string') this.#problem('page-damaged', task.page, `page ${task.page}: ${node}`)
      else nodes.push(node)
    }
    if (nodes.length < count) {
      const { table, page: number, from, to } = { table: this.#table, ...task }
      this.#events.lost({ table, page: number, from, to, isLeaf: false })
    }
    return nodes.map(({ key, child }, index) => {
      const next = nodes[index + 1]
      const from = index === 0 ? task.from : key
      const to = next === undefined ? task.to : next.key
      if (from !== null && to !== null && this.#order(from, to) >= 0) {
        this.#problem('key-order', task.page, `page ${task.page}: its keys are not in order`)
      }
      return { page: child, level: task.level + 1, from, to }
    })
  }

  #leafNode(task: Task, page: Buffer, index: number, isLast: boolean): WalkedRow | null {
    const node = parseLeafNode(page, index)
    if (typeof node === 'string') {
      this.#problem('page-damaged', task.page, `page ${task.page}: ${node}`)
      this.#events.lost({ table: this.#table, page: task.page, from: this.#previous, to: null, isLeaf: true })
      return null
    }
    this.#totals.entries += 1
    const { key } = node
    // Between the first and the last one, the order of the keys keeps them in their bounds.
    const misplaced =
      (this.#previous !== null && this.#order(this.#previous, key) >= 0) ||
      (index === 0 && task.from !== null && this.#order(key, task.from) < 0) ||
      (isLast && task.to !== null && this.#order(key, task.to) >= 0)
    if (misplaced)
      this.#problem(
        'key-order',
        task.page,
        `page ${task.page}: the key ${key.toString('hex')} is out of order`,
      )
    this.#previous = key
    const value = this.#valueOf(task, node)
    return value === null ? null : { key, value, isTree: node.isTree }
  }

  #valueOf(task: Task, { key, value }: LeafNode): Buffer | null {
    if (Buffer.isBuffer(value)) return value
    const { page: number, pages, bytes } = value
    const { pageBytes } = this.#meta
    const complain = (what: string): null => {
      this.#problem(
        'page-damaged',
        number,
        `the value of the key ${key.toString('hex')}: page ${number} ${what}`,
      )
      this.#events.lost({ table: this.#table, page: task.page, from: key, to: key, isLeaf: true })
      return null
    }
    const needed = Math.ceil((bytes + OVERFLOW_HEADER_BYTES) / pageBytes)
    if (pages < needed || pages > needed + 1) return complain(`has ${pages} pages where ${needed} are needed`)
    if (!this.#take(number, pages, null, true))
      return complain('is out of the file or belongs to something else')
    const data = this.#file.read(number * pageBytes, bytes + OVERFLOW_HEADER_BYTES)
    const header = parseHeader(data, number)
    if (typeof header === 'string') return complain(header)
    if (header.kind !== 'overflow' || header.pages < needed)
      return complain('is not the beginning of a value')
    if (data.length < bytes + OVERFLOW_HEADER_BYTES) return complain('lies behind the end of the file')
    this.#totals.overflow += pages
    return data.subarray(OVERFLOW_HEADER_BYTES)
  }

  /** Marks pages as reached. A page that is reached twice, or that the file does not have, is not visited. */
  #take(first: number, pages: number, task: Task | null, isLeaf: boolean): boolean {
    const { lastPage } = this.#meta
    if (first < 2 || first + pages - 1 > lastPage) {
      if (task !== null) this.#lose(task, isLeaf, 'is no page of the file')
      return false
    }
    for (let page = first; page < first + pages; page += 1) {
      if (this.#seen[page] === 1) {
        this.#problem('page-reached-twice', page, `page ${page} is reached more than once`)
        if (task !== null) this.#lose(task, false, 'belongs to something else already')
        return false
      }
      this.#seen[page] = 1
    }
    return true
  }

  #lose({ page, from, to }: Task, isLeaf: boolean, what: string): Task[] {
    this.#problem('page-damaged', page, `page ${page} ${what}`)
    this.#events.lost({ table: this.#table, page, from, to, isLeaf })
    return []
  }

  #problem(rule: PageProblem['rule'], page: number, message: string): void {
    this.#sound = false
    this.#events.problem({ rule, table: this.#table, page, message })
  }

  #compare(tree: TreeRoot): void {
    const { branch, leaf, overflow, entries } = this.#totals
    const said = [tree.branchPages, tree.leafPages, tree.overflowPages, tree.entries]
    const found = [branch, leaf, overflow, entries]
    if (said.every((number, index) => number === found[index])) return
    this.#problem(
      'tree-total-wrong',
      tree.root ?? 0,
      `the file says ${said.join(', ')} branch, leaf and overflow pages and rows, there are ${found.join(', ')}`,
    )
  }
}
