import { expect, test } from 'vitest'

interface Chart {
  readonly title: string
  readonly x: { readonly name: string; readonly ticks: readonly number[] }
  readonly y: { readonly name: string }
  readonly series: readonly {
    readonly name: string
    readonly points: readonly (readonly [number, number])[]
  }[]
}

test('a chart has a line for each series, and equal ratios are equally far apart', async () => {
  const { lineChart } = (await import(new URL('../bench/line-chart.mjs', import.meta.url).href)) as {
    readonly lineChart: (chart: Chart) => string
  }
  const drawn = lineChart({
    title: 'time over jobs',
    x: { name: 'jobs', ticks: [1_000, 10_000, 100_000] },
    y: { name: 'ms' },
    series: [
      {
        name: 'open',
        points: [
          [1_000, 1],
          [10_000, 10],
          [100_000, 100],
        ],
      },
      { name: 'page', points: [[1_000, 2]] },
    ],
  })
  const lines = [...drawn.matchAll(/<polyline points="([^"]+)"/g)].map(([, points = '']) =>
    points.split(' ').map((point) => point.split(',').map(Number)),
  )
  expect(lines.map((line) => line.length)).toEqual([3, 1])
  const [[x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = [], [x3 = 0, y3 = 0] = []] = lines[0] ?? []
  expect(x2 - x1).toBeCloseTo(x3 - x2)
  expect(y1 - y2).toBeCloseTo(y2 - y3)
  expect([x2 > x1, y2 < y1]).toEqual([true, true])
  for (const label of ['time over jobs', '100,000', 'open', 'page']) expect(drawn).toContain(`>${label}<`)
})
