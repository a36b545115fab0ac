import { complain, isFailure, shellWord, type Terminal } from '@saltcod/cli-kit'
import { isStoreError, type StoreError } from '@saltcod/store-core'
import { EXIT } from '../exit-code.ts'

/** Says what can be done about a store that cannot be read. */
export function careHint(path: string): string {
  return `keep the file; saltcod-inspect check ${shellWord(path)} tells what is wrong, saltcod-inspect salvage ${shellWord(path)} TARGET saves what can be decoded; or restore a backup`
}

/**
 * Returns what can be done about an error of a store; `path` stands for a store whose place the error does not tell.
 */
export function remedyHint({ hint, details }: StoreError, path: string): string | undefined {
  if (details.remedy === undefined || details.remedy === 'restore') return hint
  const place = details.path ?? path
  // There is nothing that could be saved but what the commands show.
  return details.remedy === 'read'
    ? `${hint ?? 'keep the file'}; saltcod-inspect check ${shellWord(place)} tells all that is wrong`
    : careHint(place)
}

/** Returns what can be done about a store that is damaged. */
export function damageHint(error: StoreError, path: string): string | undefined {
  return error.details.remedy === undefined ? careHint(error.details.path ?? path) : remedyHint(error, path)
}

/** Tells whether an error says that one store cannot be read, which says nothing about the others. */
export function isUnreadable(error: unknown): error is Error {
  if (isFailure(error)) return error.exitCode === EXIT.unreadable
  return isStoreError(
    error,
    'STORE_CHANGING',
    'STORE_DAMAGED',
    'STORE_FOREIGN',
    'STORE_PERMISSION',
    'STORE_FAILED',
    'RECORD_CORRUPT',
  )
}

/** Complains of a store that is passed over, so that the others are shown all the same. */
export function passOver(terminal: Terminal, path: string, error: Error): void {
  complain(terminal, `${error.message}; it is passed over`, hintOf(path, error))
}

function hintOf(path: string, error: Error): string | undefined {
  if (isStoreError(error, 'STORE_DAMAGED', 'STORE_FAILED', 'RECORD_CORRUPT')) return damageHint(error, path)
  return isFailure(error) || isStoreError(error) ? error.hint : undefined
}
