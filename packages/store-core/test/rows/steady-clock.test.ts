import { expect, test } from 'vitest'
import { SteadyClock } from '../../src/rows/steady-clock.ts'

const DAY_MS = 86_400_000

/** Lets time pass and sets the clock, as the steps say, and tells what the steady clock says has passed. */
function passedBy(steps: readonly (readonly [passMs: number, setMs: number])[], isMeasured: boolean): number {
  let wallMs = 1_700_000_000_000.4
  let passedMs = 17.25
  const clock = new SteadyClock(() => wallMs, isMeasured ? () => passedMs : undefined, 0)
  const startMs = clock.read().steadyMs
  expect(startMs).toBe(1_700_000_000_000)
  for (const [passMs, setMs] of steps) {
    passedMs += passMs
    wallMs += passMs + setMs
    const { nowMs, steadyMs } = clock.read()
    expect(nowMs).toBe(Math.floor(wallMs))
    expect(Number.isSafeInteger(steadyMs)).toBe(true)
  }
  return clock.read().steadyMs - startMs
}

test('time passes by a steady clock as it does, however the clock is set', () => {
  expect(
    passedBy(
      [
        [500, 0],
        [250, DAY_MS],
        [250, -2 * DAY_MS],
        [0, DAY_MS],
      ],
      true,
    ),
  ).toBe(1_000)
})

test('without a measure of time a clock that is set back is noticed all the same', () => {
  expect(
    passedBy(
      [
        [500, 0],
        [0, -DAY_MS],
        [500, 0],
      ],
      false,
    ),
  ).toBe(1_000)
  expect(passedBy([[500, DAY_MS]], false)).toBe(DAY_MS + 500)
})

test('a clock that is slewed, or asked between two ticks, is followed', () => {
  expect(
    passedBy(
      Array.from({ length: 5_000 }, () => [1_000, -0.5] as const),
      true,
    ),
  ).toBe(4_997_500)
  expect(
    passedBy(
      [
        [100, -1_000],
        [100, 1_000],
      ],
      true,
    ),
  ).toBe(200)
})
