import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** What is used of the native part of fs-native-extensions, at the pinned version. */
export interface NativeLock {
  /**
   * Locks bytes of an open file for its description. Throws an error with the code `EAGAIN` where another one has
   * them.
   */
  tryLock(file: number, offset: number, length: number, exclusive: boolean): void
}

let loaded: NativeLock | undefined

/**
 * Returns the native part of fs-native-extensions. Its own loader finds nothing on Alpine, where it looks for a binary
 * of another name, though the one for Linux needs nothing that musl has not. Throws where there is none for this
 * platform.
 */
export function nativeLock(): NativeLock {
  if (loaded !== undefined) return loaded
  const require = createRequire(import.meta.url)
  const directory = dirname(require.resolve('fs-native-extensions/package.json'))
  const platform = `${process.platform}-${process.arch}`
  loaded = require(join(directory, 'prebuilds', platform, 'fs-native-extensions.node')) as NativeLock
  return loaded
}
