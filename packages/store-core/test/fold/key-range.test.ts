import { describe, expect, test } from 'vitest'
import { onlyOwner } from '../../src/fold/key-range.ts'
import { keyBehindTime, ownerOf } from '../../src/fold/layout.ts'
import { endOfTuple, idTuple, tuple } from '../../src/kv/tuple.ts'

const IDS = [
  'j-7c968da7-b344-81bd-b497-abf4a0288787',
  'j-00000000-0000-0000-0000-000000000000',
  'mine',
  'a.b-c',
]

describe('the owner of a key', () => {
  test.each(IDS)('is its first part, %s', (id) => {
    const owner = idTuple('j', id)
    for (const key of [owner, tuple(owner, 0), tuple(owner, 255, 'x')]) expect(ownerOf(key)).toEqual(owner)
    expect(onlyOwner({ gte: owner, lt: endOfTuple(owner), limit: 1 })).toEqual(owner)
    expect(onlyOwner({ gt: tuple(owner, 5), lt: endOfTuple(owner), limit: 1 })).toEqual(owner)
    expect(onlyOwner({ gt: tuple(owner, 5), limit: 1 })).toBeNull()
  })

  test('with a zero byte in its text is found whole', () => {
    const owner = tuple('a\0b')
    expect(ownerOf(tuple(owner, 1))).toEqual(owner)
  })

  test('of bytes that begin with no whole id is none', () => {
    for (const key of [
      Buffer.of(0x30, 1),
      Buffer.of(2, 65),
      Buffer.of(2, 65, 0, 0xff),
      tuple(5),
      Buffer.alloc(0),
    ])
      expect(ownerOf(key)).toBeNull()
  })

  test('of a range over several is none', () => {
    const [first = '', second = ''] = IDS
    expect(onlyOwner({ gte: idTuple('j', first), lt: idTuple('j', second), limit: 1 })).toBeNull()
  })
})

test.each([0, 1, 255, 256, 1_795_388_836_354])(
  'the key behind the time %i of an index row is found',
  (timeMs) => {
    const beginning = tuple(7, 'default', 'Completed')
    for (const id of IDS) {
      const key = idTuple('j', id)
      expect(keyBehindTime(tuple(beginning, timeMs, key), beginning)).toEqual(key)
    }
  },
)
