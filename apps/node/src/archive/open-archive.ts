import { Failure } from '@saltcod/cli-kit'
import { type Archive, openArchive } from '@saltcod/compaction'
import { isStoreError } from '@saltcod/store-core'
import type { Logger } from 'pino'
import { EXIT } from '../exit-code.ts'

/**
 * Opens the archive of a node for writing; `null` where none is configured. Throws a `Failure` that says in one line
 * what is wrong.
 */
export async function openNodeArchive(directory: string | undefined, log: Logger): Promise<Archive | null> {
  if (directory === undefined) return null
  try {
    return await openArchive(directory, {
      onNotice: ({ code, message }) => log.warn({ code, path: directory }, message),
    })
  } catch (error) {
    if (!isStoreError(error)) throw error
    const named = error.message.includes(directory) ? error.message : `${directory}: ${error.message}`
    throw new Failure(EXIT.usage, `cannot open the archive: ${named}`, { hint: error.hint, cause: error })
  }
}
