const WIDTH = 720
const HEIGHT = 420
const PLOT = { left: 70, right: 40, top: 70, bottom: 50 }
const COLORS = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700', '#8250df']
const STEPS = [1, 2, 5]

/**
 * Draws lines over two logarithmic axes and returns the text of an SVG file. `x` and `y` name the axes, `ticks` are
 * the values that are named on that of x; a series is a name and pairs of two numbers above 0.
 */
export function lineChart({ title, x, y, series }) {
  const points = series.flatMap((one) => one.points)
  const across = scale([x.ticks[0], x.ticks.at(-1)], [PLOT.left, WIDTH - PLOT.right])
  const yTicks = ticksAround(points.map(([, value]) => value))
  const up = scale([yTicks[0], yTicks.at(-1)], [HEIGHT - PLOT.bottom, PLOT.top])
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(PLOT.left, 24, title, 'font-size="15" font-weight="bold"'),
    ...x.ticks.flatMap((tick) => [
      line([across(tick), PLOT.top], [across(tick), HEIGHT - PLOT.bottom]),
      text(across(tick), HEIGHT - PLOT.bottom + 18, numberText(tick), 'text-anchor="middle"'),
    ]),
    ...yTicks.flatMap((tick) => [
      line([PLOT.left, up(tick)], [WIDTH - PLOT.right, up(tick)]),
      text(PLOT.left - 8, up(tick) + 4, numberText(tick), 'text-anchor="end"'),
    ]),
    text((PLOT.left + WIDTH - PLOT.right) / 2, HEIGHT - 10, x.name, 'text-anchor="middle"'),
    text(10, PLOT.top - 12, y.name, ''),
    ...series.flatMap((one, index) => drawn(one, index, across, up)),
    '</svg>',
    '',
  ].join('\n')
}

function drawn({ name, points }, index, across, up) {
  const color = COLORS[index]
  const places = points.map(([x, y]) => [across(x), up(y)].map((place) => place.toFixed(1)))
  const left = PLOT.left + index * 130
  return [
    `<polyline points="${places.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`),
    `<rect x="${left}" y="34" width="12" height="12" fill="${color}"/>`,
    text(left + 18, 44, name, ''),
  ]
}

/** The round numbers from below the least value to above the greatest. */
function ticksAround(numbers) {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
  const decades = []
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power += 1)
    decades.push(...STEPS.map((step) => Number(`${step}e${power}`)))
  const from = decades.findLastIndex((tick) => tick <= least)
  const to = decades.findIndex((tick) => tick >= most)
  return decades.slice(from, to + 1)
}

function scale([from, to], [first, last]) {
  const length = Math.log(to) - Math.log(from)
  return (value) => first + ((Math.log(value) - Math.log(from)) / length) * (last - first)
}

function line([x1, y1], [x2, y2]) {
  return `<path d="M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}" stroke="#ddd"/>`
}

function text(x, y, content, attributes) {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${content}</text>`
}

function numberText(number) {
  return number.toLocaleString('en', { maximumSignificantDigits: 3 })
}
