// Translates the programs of the demo from WebAssembly text to modules in dist/demo.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import loadWabt from 'wabt'

const source = fileURLToPath(new URL('../src/demo/', import.meta.url))
const target = fileURLToPath(new URL('../dist/demo/', import.meta.url))
const wabt = await loadWabt()

await mkdir(target, { recursive: true })
for (const name of await readdir(source)) {
  if (!name.endsWith('.wat')) continue
  const module = wabt.parseWat(name, await readFile(join(source, name)))
  module.validate()
  await writeFile(join(target, `${basename(name, '.wat')}.wasm`), module.toBinary({}).buffer)
}
