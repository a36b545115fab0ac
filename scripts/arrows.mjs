// Checks that the folders of store-core import in one direction. Exits with 1 and names each import that goes back.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Each may import those before it. */
const ORDER = [
  ...['errors', 'kv', 'arguments', 'states', 'model', 'rows', 'fold', 'check', 'migrations', 'durable'],
  ...['jobs|executions', 'rebuild', 'index|backend|format'],
]
const ROOT = fileURLToPath(new URL('../packages/store-core/src/', import.meta.url))

function folderOf(path) {
  return relative(ROOT, path).split('/')[0].replace(/\.ts$/, '')
}

function rankOf(folder) {
  const rank = ORDER.findIndex((step) => step.split('|').includes(folder))
  if (rank < 0)
    throw new Error(`packages/store-core/src/${folder} has no place in the order of scripts/arrows.mjs`)
  return rank
}

const back = readdirSync(ROOT, { recursive: true }).flatMap((name) => {
  if (!name.endsWith('.ts')) return []
  const path = join(ROOT, name)
  const from = folderOf(path)
  return [...readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)].flatMap(([, imported]) => {
    const to = folderOf(join(dirname(path), imported))
    return from === to || rankOf(to) < rankOf(from) ? [] : [`${name} imports ${imported}`]
  })
})
for (const line of back)
  console.error(`packages/store-core/src/${line}, against the order ${ORDER.join(' < ')}`)
process.exitCode = back.length === 0 ? 0 : 1
