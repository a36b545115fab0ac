import type { KvRange, KvRow } from '@saltcod/store-core/backend'
import sortedBtree from 'sorted-btree'

type Tree = sortedBtree.default<Uint8Array, Uint8Array>

// The module is CommonJS with a default export: an import of it gives the module to Node and to a bundler, and that
// export to the test runner.
const imported: typeof sortedBtree | typeof sortedBtree.default = sortedBtree
const BTree = 'default' in imported ? imported.default : imported

/** An ordered map from bytes to bytes. A copy costs nothing; nodes are copied when one of the two changes. */
export class ByteTree {
  readonly #tree: Tree
  #bytes: number

  constructor(tree: Tree = new BTree<Uint8Array, Uint8Array>(undefined, compareBytes), bytes: number = 0) {
    this.#tree = tree
    this.#bytes = bytes
  }

  /** Bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes
  }

  /** Number of keys. */
  get rows(): number {
    return this.#tree.size
  }

  /** Returns a tree with the same rows; a change in either is not seen in the other. */
  copy(): ByteTree {
    return new ByteTree(this.#tree.clone(), this.#bytes)
  }

  /** Returns the value under a key, or `undefined` where there is none. The value is not a copy. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#tree.get(key)
  }

  /** Sets the value under a key. Neither is copied. */
  set(key: Uint8Array, value: Uint8Array): void {
    const before = this.#tree.get(key)
    this.#bytes += value.length + (before === undefined ? key.length : -before.length)
    this.#tree.set(key, value)
  }

  /** Removes a key and tells whether it was there. */
  remove(key: Uint8Array): boolean {
    const before = this.#tree.get(key)
    if (before === undefined) return false
    this.#bytes -= key.length + before.length
    return this.#tree.delete(key)
  }

  /** Returns the rows of a range in order, at most `limit`. Keys and values are not copies. */
  range(range: KvRange): KvRow[] {
    // The iterators of the tree do not take an empty tree with a start key.
    if (this.#tree.isEmpty) return []
    return range.reverse === true ? this.#descend(range) : this.#ascend(range)
  }

  #ascend({ gte, gt, lt, lte, limit }: KvRange): KvRow[] {
    const rows: KvRow[] = []
    const end = lte ?? lt
    for (const [key, value] of this.#tree.entries(gte ?? gt, [])) {
      if (gt !== undefined && rows.length === 0 && compareBytes(key, gt) === 0) continue
      if (end !== undefined && isBeyond(compareBytes(key, end), lte !== undefined)) break
      rows.push({ key, value })
      if (rows.length === limit) break
    }
    return rows
  }

  #descend({ gte, gt, lt, lte, limit }: KvRange): KvRow[] {
    const rows: KvRow[] = []
    const end = gte ?? gt
    for (const [key, value] of this.#tree.entriesReversed(lte ?? lt, [], lt !== undefined)) {
      if (end !== undefined && isBeyond(compareBytes(end, key), gte !== undefined)) break
      rows.push({ key, value })
      if (rows.length === limit) break
    }
    return rows
  }
}

function isBeyond(order: number, inclusive: boolean): boolean {
  return inclusive ? order > 0 : order >= 0
}

/** Orders byte strings as unsigned bytes, a prefix before what it starts. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const order = (left[index] as number) - (right[index] as number)
    if (order !== 0) return order
  }
  return left.length - right.length
}
