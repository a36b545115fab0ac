import type { Terminal } from '@saltcod/cli-kit'
import type { BoltFile } from '@saltcod/store-bolt'
import { isUnreadable, passOver } from '../store/unreadable-store.ts'
import { withBolt } from './bolt-argument.ts'

/** What was found out of one of several files. */
export interface OfBoltFile<T> {
  readonly path: string
  readonly value: T
}

/**
 * Opens one BoltDB file after the other for a function. Of several, one that cannot be read is complained of and
 * passed over, and `unreadable` says so.
 */
export async function eachBoltFile<T>(
  terminal: Terminal,
  paths: readonly string[],
  look: (file: BoltFile) => Promise<T>,
): Promise<{ readonly found: readonly OfBoltFile<T>[]; readonly unreadable: boolean }> {
  const found: OfBoltFile<T>[] = []
  let unreadable = false
  for (const path of paths) {
    try {
      found.push({ path, value: await withBolt(path, look) })
    } catch (error) {
      if (paths.length === 1 || !isUnreadable(error)) throw error
      unreadable = true
      passOver(terminal, path, error)
    }
  }
  return { found, unreadable }
}
