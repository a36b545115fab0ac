import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = fileURLToPath(new URL('../../src/', import.meta.url))

/** What a file imports when it is loaded; types are gone by then, and what `import()` names is loaded later. */
function loadedBy(path: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(path)) return seen
  seen.add(path)
  const imports = readFileSync(path, 'utf8').matchAll(/^import (?!type\b)[^;]*? from '(\.[^']+)'/gm)
  for (const [, specifier = ''] of imports) loadedBy(join(dirname(path), specifier), seen)
  return seen
}

test.each(['engines', 'inputs', 'publishers'])(
  'who reads the kinds of %s loads nothing of what carries them out',
  (folder) => {
    const loaded = [...loadedBy(join(source, folder, 'kinds.ts'))].map((path) => relative(source, path))
    expect(loaded.length).toBeGreaterThan(3)
    expect(loaded.filter((path) => /^compute\/|-engine\.ts$|\/fetch-|-publisher\.ts$/.test(path))).toEqual([])
  },
)
