import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MOST_NAMES_FOR_USERS = 95
const DOORS = [
  { door: '`@saltcod/store-core`', file: 'index' },
  { door: '`@saltcod/store-core/backend`', file: 'backend' },
  { door: '`@saltcod/store-core/format`', file: 'format' },
]

function read(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8')
}

/** Names that a door exports, and how many of them are types. */
function namesOf(file: string): { readonly names: number; readonly types: number } {
  const sum = { names: 0, types: 0 }
  for (const [, type, list = ''] of read(`src/${file}.ts`).matchAll(/export (type )?\{([^}]*)\}/g)) {
    const names = list.split(',').filter((name) => name.trim() !== '')
    sum.names += names.length
    sum.types += names.filter((name) => type !== undefined || name.trim().startsWith('type ')).length
  }
  return sum
}

test.each(DOORS)('the README says how many names $door has', ({ door, file }) => {
  const row = read('README.md')
    .split('\n')
    .find((line) => line.startsWith(`| ${door} |`))
  const { names, types } = namesOf(file)
  const said = file === 'index' ? `${names}, of which ${types} are types` : String(names)
  expect(row?.split('|').at(3)?.trim()).toBe(said)
})

test('a user of a store has few names to learn, each with its reason in the README', () => {
  expect(namesOf('index').names).toBeLessThanOrEqual(MOST_NAMES_FOR_USERS)
  const told = new Set([...read('README.md').matchAll(/`(\w+)`/g)].map(([, name]) => name))
  const names = [...read('src/index.ts').matchAll(/\{([^}]*)\}/g)]
    .flatMap(([, list = '']) => list.split(','))
    .map((name) => name.trim())
  expect(names.filter((name) => name !== '' && !told.has(name))).toEqual([])
})
