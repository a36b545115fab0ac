import { statSync } from 'node:fs'

import { systemError } from '../refusal.ts'

/** Length of the file of an open store in bytes. Throws a `StoreError` where the path does not lead to it any more. */
export function fileLength(path: string): number {
  try {
    return statSync(path).size
  } catch (error) {
    throw systemError(
      path,
      'its file is not to be found where it was opened',
      error,
      'put it back before its owner ends: what is written meanwhile goes into the file that was moved or removed',
    )
  }
}
