import type { Environment } from '../native/environment.ts'
import { messageOf } from '../refusal.ts'
import { backUp } from './backup.ts'

/**
 * The file of a store was removed while its owner had it open: what is written from then on is gone with the process.
 */
export class RemovedFile extends Error {
  constructor(what = 'its file was removed while it was open') {
    super(what)
  }

  /** Copies what the file had beside the place where it was, and returns the same error, which says where that is. */
  async copied(environment: Environment): Promise<RemovedFile> {
    const path = `${environment.path}.removed-${environment.lastCommit()}`
    try {
      await backUp(environment, path)
      return new RemovedFile(`${this.message}; all that it had is in ${path}: move that to its place`)
    } catch (error) {
      return new RemovedFile(`${this.message}, and it could not be copied to ${path}: ${messageOf(error)}`)
    }
  }
}
