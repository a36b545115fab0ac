import assert from 'node:assert/strict'

import fc from 'fast-check'
import { test } from 'vitest'

import { ByteTree, compareBytes } from '../src/byte-tree.ts'

const numbered = (id: number): Uint8Array => Uint8Array.of((id >> 8) & 255, id & 255)
const idsOf = (tree: ByteTree): number[] =>
  tree.range({ limit: 10_000 }).map(({ key }) => ((key[0] ?? 0) << 8) | (key[1] ?? 0))

test('bytes order as Node orders buffers', () => {
  const short = fc.uint8Array({ maxLength: 4 })
  fc.assert(
    fc.property(short, short, (left, right) => {
      assert.equal(Math.sign(compareBytes(left, right)), Buffer.compare(left, right))
    }),
  )
})

test('copies of copies change by themselves, whatever is put and removed in any of them', () => {
  const edit = fc.record({
    of: fc.nat(7),
    copies: fc.nat(5).map((n) => n === 0),
    first: fc.nat(2000),
    count: fc.integer({ min: 1, max: 300 }),
    removes: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 40 }), (edits) => {
      const trees = [{ tree: new ByteTree(), ids: new Set<number>() }]
      for (const { of, copies, first, count, removes } of edits) {
        const chosen = trees[of % trees.length]
        assert.ok(chosen !== undefined)
        if (copies) trees.push({ tree: chosen.tree.copy(), ids: new Set(chosen.ids) })
        for (let id = first; id < first + count; id += 1) {
          if (removes) assert.equal(chosen.tree.remove(numbered(id)), chosen.ids.delete(id))
          else {
            chosen.tree.set(numbered(id), numbered(id))
            chosen.ids.add(id)
          }
        }
      }
      for (const { tree, ids } of trees) {
        assert.deepEqual(
          idsOf(tree),
          [...ids].sort((left, right) => left - right),
        )
        assert.equal(tree.rows, ids.size)
        assert.equal(tree.bytes, ids.size * 4)
      }
    }),
    { numRuns: 60 },
  )
})

test('the bytes are those of the keys and values that are there', () => {
  const tree = new ByteTree()
  tree.set(numbered(1), new Uint8Array(10))
  tree.set(numbered(2), new Uint8Array(0))
  assert.equal(tree.bytes, 14)
  tree.set(numbered(1), new Uint8Array(3))
  assert.equal(tree.bytes, 7)
  tree.remove(numbered(1))
  tree.remove(numbered(1))
  assert.equal(tree.bytes, 2)
  assert.equal(tree.rows, 1)
})
