import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeDirectory, syncDirectory } from './directory.ts'

/**
 * Keeps a text in a file of a repository directory, which is made where it is missing: for this user alone, durable,
 * and whole or not at all. Throws what the system says where it cannot be kept; what was kept before stays then.
 */
export function writeKeptFile(path: string, text: string): void {
  const repository = dirname(path)
  makeDirectory(repository)
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeWhole(file, text)
    renameSync(temporary, path)
  } catch (error) {
    // A part of a secret, or one that counts for nothing, is kept nowhere.
    rmSync(temporary, { force: true })
    throw error
  }
  syncDirectory(repository)
}

function writeWhole(file: number, text: string): void {
  try {
    // On a disk with little room a single write may take a part of the text, and say so by a number alone.
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
