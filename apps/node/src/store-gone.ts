import { isStoreError } from '@saltcod/store-core'

/** Tells whether an error says that the store is closed or has failed: then nothing that needs it is tried again. */
export function isStoreGone(error: unknown): boolean {
  return isStoreError(error, 'STORE_CLOSED', 'STORE_FAILED')
}
