import { rmSync } from 'node:fs'
import { systemCode } from '../../system-code.ts'

/**
 * Makes a new file by `make`, which fails where anything is there; what a job has put in its place is then removed.
 */
export function makeNew<T>(path: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    rmSync(path, { recursive: true, force: true })
    return make()
  }
}
