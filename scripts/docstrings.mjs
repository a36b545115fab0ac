// Fails where an exported declaration has no docstring directly above it. Formatted sources make lines enough to see
// that.
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|class|interface|type) (?<name>\w+)/

let missing = 0
for (const parent of ['packages', 'apps']) {
  for (const name of await readdir(join(root, parent))) {
    const source = join(root, parent, name, 'src')
    for (const entry of await readdir(source, { recursive: true })) {
      if (entry.endsWith('.ts')) missing += await inspect(join(source, entry))
    }
  }
}
if (missing > 0) {
  console.error(
    `${missing} exported symbols have no docstring. Write what each one is for, in a complete sentence.`,
  )
  process.exitCode = 1
}

/** Reports each undocumented declaration of a file, and returns how many there are. Overloads share one docstring. */
async function inspect(file) {
  const lines = (await readFile(file, 'utf8')).split('\n')
  const seen = new Set()
  let found = 0
  for (const [index, line] of lines.entries()) {
    const name = declaration.exec(line)?.groups.name
    if (name === undefined || seen.has(name)) continue
    seen.add(name)
    if (lines[index - 1]?.trimEnd().endsWith('*/')) continue
    console.error(`${relative(root, file)}:${index + 1} ${name}`)
    found += 1
  }
  return found
}
