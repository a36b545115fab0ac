import { expect, test } from 'vitest'
import { randomNumbers } from '../../../test/random-numbers.ts'
import { OrderedRun, type Placed } from '../src/bacalhau/ordered-run.ts'

const seed = Date.now() % 2 ** 31
const random = randomNumbers(seed)

/** Many share a time, so that ids break ties. */
const items: readonly Placed[] = Array.from({ length: 137 }, (_, index) => ({
  atMs: Math.floor(random() * 20),
  id: `j-${(index * 7919) % 137}`,
}))

async function* walk(): AsyncGenerator<Placed> {
  yield* items
}

function sorted(reverse: boolean): string[] {
  const order = (a: Placed, b: Placed): number => a.atMs - b.atMs || (a.id < b.id ? -1 : 1)
  const ids = [...items].sort(order).map(({ id }) => id)
  return reverse ? ids.reverse() : ids
}

async function pagesOf(run: () => OrderedRun<Placed>, limit: number): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const page = await run().page(cursor, limit)
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.next
  } while (cursor !== null)
  return ids
}

test.each([
  [1_000, 10],
  [20, 7],
  [20, 50],
  [1, 3],
])('keeping %i at a time, pages of %i join without gap and without overlap', async (kept, limit) => {
  for (const reverse of [false, true]) {
    const run = new OrderedRun(walk, reverse, kept)
    expect(await pagesOf(() => run, limit), `seed ${seed}`).toEqual(sorted(reverse))
    // Each command begins with nothing but a cursor.
    expect(await pagesOf(() => new OrderedRun(walk, reverse, kept), limit)).toEqual(sorted(reverse))
  }
})

test('a cursor of another listing is refused', async () => {
  await expect(new OrderedRun(walk, false).page('nonsense', 1)).rejects.toMatchObject({
    code: 'INVALID_CURSOR',
  })
})
