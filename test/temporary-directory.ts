import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, onTestFinished } from 'vitest'

import { removeDirectory } from './remove-directory.ts'

/** Files of a directory, by their names. */
type Files = Readonly<Record<string, string | Uint8Array>>

/** Makes a directory, with the given files, that is removed when the test is over. Returns its real path. */
export function temporaryDirectory(files: Files = {}): string {
  const directory = unownedDirectory(files)
  onTestFinished(() => removeDirectory(directory))
  return directory
}

/**
 * Makes a directory, with the given files, for all tests of a file; it is removed after what else the file does at its
 * end. For the top of a file or of a `describe`.
 */
export function sharedDirectory(files: Files = {}): string {
  const directory = unownedDirectory(files)
  afterAll(() => removeDirectory(directory))
  return directory
}

/** Makes a directory, with the given files, that the caller removes by `removeDirectory`. Returns its real path. */
export function unownedDirectory(files: Files = {}): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'saltcod-test-')))
  for (const [name, contents] of Object.entries(files)) {
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, contents)
  }
  return directory
}
