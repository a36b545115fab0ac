import { close, constants, fstatSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { foreignError, systemError } from './refusal.ts'

const closeDescriptor = promisify(close)

/**
 * Opens a file for reading and waits for nobody, as one would at a pipe. Throws what the system reports as
 * `StoreError`.
 */
export function openRegularFile(path: string): number {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (fstatSync(file).isFile()) return file
  } catch (error) {
    if (file !== undefined) void closeDescriptor(file)
    throw systemError(path, error)
  }
  void closeDescriptor(file)
  throw foreignError(path, 'is no file of bytes')
}

/** Closes a file. */
export async function closeFile(file: number): Promise<void> {
  await closeDescriptor(file)
}
