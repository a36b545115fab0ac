// Checks that the folders of a package import in one direction. Exits with 1 and names each import that goes back.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Each folder, or file beside the folders, may import those before it. */
const ORDERS = {
  'packages/store-core': [
    ...['errors', 'kv', 'arguments', 'states', 'model', 'contract', 'rows', 'fold', 'check', 'migrations'],
    ...['durable', 'jobs|executions', 'rebuild', 'index|backend|format'],
  ],
  'packages/store-bolt': ['refusal', 'pages', 'tree', 'check', 'open-regular-file', 'bolt-file', 'index'],
  'packages/store-lmdb': [
    ...['refusal', 'file', 'native', 'owner', 'write', 'rewrite', 'read', 'lmdb-kv', 'open', 'index'],
  ],
}

function importsAgainst(order, name) {
  const root = fileURLToPath(new URL(`../${name}/src/`, import.meta.url))
  const folderOf = (path) => relative(root, path).split('/')[0].replace(/\.ts$/, '')
  const rankOf = (folder) => {
    const rank = order.findIndex((step) => step.split('|').includes(folder))
    if (rank < 0) throw new Error(`${name}/src/${folder} has no place in the order of scripts/arrows.mjs`)
    return rank
  }
  return readdirSync(root, { recursive: true }).flatMap((file) => {
    if (!file.endsWith('.ts')) return []
    const path = join(root, file)
    const from = folderOf(path)
    return [...readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)].flatMap(([, imported]) => {
      const to = folderOf(join(dirname(path), imported))
      return from === to || rankOf(to) < rankOf(from) ? [] : [`${name}/src/${file} imports ${imported}`]
    })
  })
}

for (const [name, order] of Object.entries(ORDERS)) {
  for (const line of importsAgainst(order, name)) {
    console.error(`${line}, against the order ${order.join(' < ')}`)
    process.exitCode = 1
  }
}
