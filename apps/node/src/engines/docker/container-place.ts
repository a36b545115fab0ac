import { join } from 'node:path'
import { writeWhole } from '../../compute/keeper/exit-record.ts'
import { readNote } from '../../compute/keeper/work-files.ts'

function placeFile(workDir: string): string {
  return join(workDir, 'container-server')
}

/**
 * Notes in the directory of a run at which socket its container is made, before it is: where there are several servers
 * on a machine, only that one can tell what became of it.
 */
export function notePlace(workDir: string, socketPath: string): void {
  writeWhole(placeFile(workDir), socketPath)
}

/** The socket at which the container of a run was made; undefined where none is noted. */
export function notedPlace(workDir: string): string | undefined {
  try {
    const socketPath = readNote(placeFile(workDir))
    return socketPath === '' ? undefined : socketPath
  } catch {
    return undefined
  }
}
