import { join } from 'node:path'
import { openLmdbExecutionStore } from '@saltcod/store-lmdb'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { LinkedStore } from '../../src/link/link.ts'
import { linkedStore, PeerStores } from '../../src/link/peer-store.ts'

const log = pino({ level: 'silent' })
const SEEN = 'worked with at \\d{4}-\\d\\d-\\d\\dT'

/** A side that keeps what it knows, and what it says to a store of another side after a start of its own. */
async function side() {
  const store = await openLmdbExecutionStore({ path: join(temporaryDirectory(), 'executions.db') })
  onTestFinished(() => store.close())
  const after = (acceptsOthers = false): PeerStores =>
    new PeerStores({ store, word: 'job store', acceptsOthers, log })
  return { store, after, meet: (found: LinkedStore) => after().meet('n-1', found) }
}

/** A store with openings by their names, the oldest first, each of which gave out ten numbers. */
function storeOf(openings: string, sequence = openings.length * 10, storeId = 'store-1'): LinkedStore {
  const told = [...openings].map((id, index) => ({ id, firstSequence: index * 10 + 1 }))
  return { storeId, durable: true, sequence, openings: told.toReversed().slice(0, 20) }
}

test('a store that goes on from the known one is taken, however far what is known lags behind', async () => {
  const { meet, store } = await side()
  for (const found of [storeOf('ab'), storeOf('abc'), storeOf('abcdef', 52)])
    expect(await meet(found)).toBeNull()
  expect(await store.getPeer('n-1')).toMatchObject({
    storeId: 'store-1',
    incarnation: 'f',
    firstSequence: 51,
    sequence: 52,
  })
  // The opening that is known is too long ago to be told.
  expect(await meet(storeOf('abcdefghijklmnopqrstuvwxyz012345'))).toBeNull()
})

test('another store, an older copy and a fork are refused, and change nothing of what is known', async () => {
  const { meet, store, after } = await side()
  await meet(storeOf('abcd', 35))
  const known = await store.getPeer('n-1')
  const refused: readonly (readonly [LinkedStore, string])[] = [
    [
      storeOf('abcd', 35, 'store-2'),
      `is another one: its id is store-2, and the one that was ${SEEN}.*Z had the id store-1$`,
    ],
    [
      storeOf('abc'),
      `is an older copy, or a fork, of the one that was ${SEEN}.*: it was never opened as that one`,
    ],
    [storeOf('abcX', 60), 'is an older copy, or a fork'],
    [storeOf('abcX2345', 90), 'is an older copy, or a fork'],
    [storeOf('abcX23456789012345678', 900), 'is an older copy, or a fork'],
    [
      storeOf('abcd', 34),
      `is an older copy of the one .*: it has come to change 34, and that one had come to 35$`,
    ],
    [storeOf('abcde', 34), 'is an older copy of the one'],
    [
      { ...storeOf('abcde', 60), openings: [{ id: 'e', firstSequence: 35 }, ...storeOf('abcd').openings] },
      'is an older copy, or a fork, .* went on from change 34',
    ],
  ]
  for (const [found, said] of refused)
    expect(await meet(found)).toMatch(new RegExp(`^the job store of n-1 ${said}`))
  expect(await store.getPeer('n-1')).toEqual(known)
  expect(await after(true).meet('n-1', storeOf('abcX', 40))).toBeNull()
  expect(await meet(storeOf('abcXe', 61))).toBeNull()
  expect(await meet(storeOf('abcd', 35))).toMatch(/fork/)
})

test('how far a store has come is heard of while it is worked with', async () => {
  const { store, after, meet } = await side()
  const peers = after()
  await peers.hear('n-1', 3)
  expect(await store.getPeer('n-1')).toBeNull()
  await peers.meet('n-1', storeOf('a', 5))
  for (const sequence of [8, 7]) await peers.hear('n-1', sequence)
  expect(await store.getPeer('n-1')).toMatchObject({ sequence: 8 })
  // A copy of the same opening, put there by hand after the node was killed.
  expect(await meet(storeOf('a', 6))).toMatch(/older copy/)
})

test('what is in memory, or cannot tell its id, is neither compared nor remembered', async () => {
  const { store, meet } = await side()
  await meet(storeOf('ab'))
  const known = await store.getPeer('n-1')
  const memory = await openMemoryExecutionStore()
  for (const found of [await linkedStore(memory), { ...storeOf('x'), storeId: '' }]) {
    expect(await meet(found)).toBeNull()
    expect(await store.getPeer('n-1')).toEqual(known)
  }
  expect(await linkedStore(store)).toMatchObject({ durable: true, openings: [{ firstSequence: 1 }] })
})

test('a store that somebody put there on purpose is taken once for that', async () => {
  const { after, store } = await side()
  const taken: string[] = []
  const meet = (found: LinkedStore) =>
    after().meet('n-1', found, {
      onTaken: async (strangeness) => {
        taken.push(strangeness)
        await Promise.resolve()
      },
    })
  await meet(storeOf('abcd', 35))
  const restored = { ...storeOf('abX', 25), takenOver: 'X' }
  expect(await meet(restored)).toBeNull()
  expect(taken.length).toBe(1)
  expect(taken[0]).toMatch(/older copy, or a fork/)
  expect(await store.getPeer('n-1')).toMatchObject({ incarnation: 'X', sequence: 25 })
  // The same copy, put back again by mistake, and whatever else has that mark.
  expect(await meet({ ...storeOf('abXY', 40), takenOver: 'X' })).toBeNull()
  expect(await meet({ ...storeOf('abXZ', 32), takenOver: 'X' })).toMatch(/older copy, or a fork/)
  expect(await meet({ ...storeOf('abcd', 35), takenOver: 'c' })).toBeNull()
  expect(taken.length).toBe(2)
})

test('an older copy that lacks nothing of what was known is taken for one where somebody put it there', async () => {
  const { after } = await side()
  const taken: string[] = []
  const meet = (found: LinkedStore) =>
    after().meet('n-1', found, {
      onTaken: async (strangeness) => {
        taken.push(strangeness)
        await Promise.resolve()
      },
    })
  // Of one that was never met nothing can be lost.
  await meet({ ...storeOf('a', 5), takenOver: 'a' })
  // It went on to 30 meanwhile, which nobody has said, and was copied at 20.
  await meet(storeOf('ab', 12))
  expect(taken).toEqual([])
  const restored = { ...storeOf('abX', 25), takenOver: 'X' }
  for (let start = 0; start < 2; start++) expect(await meet(restored)).toBeNull()
  expect(taken).toEqual(['was put there on purpose'])
})
