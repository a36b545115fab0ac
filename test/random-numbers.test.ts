import { expect, test } from 'vitest'

import { randomBelow } from './random-numbers.ts'

test('seeds beside each other reach everything, whichever draw it is', () => {
  for (let draw = 0; draw < 3; draw += 1) {
    const reached = new Set<number>()
    for (let seed = 0; seed < 3_000; seed += 1) {
      const below = randomBelow(seed)
      for (let before = 0; before < draw; before += 1) below(10)
      reached.add(below(600))
    }
    // So many draws of 600 things leave out four of them.
    expect(reached.size).toBeGreaterThan(580)
  }
})

test('a seed decides the numbers', () => {
  const [one, same, other] = [randomBelow(7), randomBelow(7), randomBelow(8)]
  const draw = (below: (end: number) => number): number[] => Array.from({ length: 20 }, () => below(1_000))
  const numbers = draw(one)
  expect(draw(same)).toEqual(numbers)
  expect(draw(other)).not.toEqual(numbers)
})
