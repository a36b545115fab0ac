import { expect, test } from 'vitest'
import { breathing } from '../../src/waiting/breath.ts'

function busyFor(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
}

test('what has many steps that are all done at once lets others have their turn', async () => {
  let turns = 0
  let isOver = false
  const count = (): void => {
    turns += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const seen: number[] = []
  for await (const item of breathing(Array.from({ length: 50 }, (_, index) => index))) {
    seen.push(item)
    busyFor(1)
    await Promise.resolve()
  }
  isOver = true
  expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index))
  expect(turns).toBeGreaterThan(3)
})

test('what is left early is closed', async () => {
  let isClosed = false
  async function* items(): AsyncGenerator<number> {
    try {
      yield 1
      yield 2
    } finally {
      isClosed = true
    }
  }
  for await (const item of breathing(items())) if (item === 1) break
  expect(isClosed).toBe(true)
})
