// Fails where files import each other in a circle, types included, which Biome passes over. Names each circle once.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = ['packages', 'apps'].flatMap((room) =>
  readdirSync(join(root, room), { withFileTypes: true }).flatMap(({ name }) => {
    const source = join(root, room, name, 'src')
    return readdirSync(source, { recursive: true }).flatMap((path) =>
      path.endsWith('.ts') ? [join(source, path)] : [],
    )
  }),
)
const imports = new Map(
  sources.map((path) => [
    path,
    [...readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, to]) => join(dirname(path), to)),
  ]),
)

const done = new Set()
const circles = []

function walk(path, way) {
  const at = way.indexOf(path)
  if (at >= 0) circles.push([...way.slice(at), path])
  if (at >= 0 || done.has(path)) return
  for (const next of imports.get(path) ?? []) walk(next, [...way, path])
  done.add(path)
}

for (const path of sources) walk(path, [])
for (const circle of circles) console.error(circle.map((path) => relative(root, path)).join(' -> '))
process.exitCode = circles.length === 0 ? 0 : 1
