import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * Returns name and version of the lmdb that is installed, for the record of each opening: a file that one release
 * wrote may be damaged by another. `undefined` where it cannot be told, as in a bundle.
 */
export function driverName(): string | undefined {
  try {
    const main = createRequire(import.meta.url).resolve('lmdb')
    const text = readFileSync(join(dirname(main), '..', 'package.json'), 'utf8')
    const { name, version } = JSON.parse(text) as { readonly name: string; readonly version: string }
    return `${name} ${version}`
  } catch {
    return undefined
  }
}
