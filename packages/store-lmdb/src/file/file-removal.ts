import { unlinkSync } from 'node:fs'

import { systemCode } from '../refusal.ts'

/**
 * Removes a file or socket if it is there. Not `rmSync`: after that has removed a socket, Node 20 cannot
 * import packages any more that lie behind a symbolic link, as pnpm lays them.
 */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
