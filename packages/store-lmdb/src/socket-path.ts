import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What fits into the address of a Unix socket on every system. */
const MAX_ADDRESS_BYTES = 100

/** A short way to a directory, so that the names in it fit into the address of a socket. */
export interface SocketDirectory {
  /** Address of a name in the directory. */
  address(name: string): string
  close(): void
}

/**
 * Opens a directory for sockets, however long its path is: where it is too long, by way of the directory's
 * descriptor on Linux, else of a symbolic link in the directory for temporary files.
 */
export function openSocketDirectory(path: string): SocketDirectory {
  if (Buffer.byteLength(path) + 40 <= MAX_ADDRESS_BYTES) {
    return { address: (name) => join(path, name), close: () => undefined }
  }
  if (process.platform === 'linux' && existsSync('/proc/self/fd')) {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
    return {
      address: (name) => `/proc/self/fd/${descriptor}/${name}`,
      close: () => {
        closeSync(descriptor)
      },
    }
  }
  const link = mkdtempSync(join(tmpdir(), 'sock-'))
  symlinkSync(path, join(link, 'd'))
  return {
    address: (name) => join(link, 'd', name),
    close: () => {
      rmSync(link, { recursive: true, force: true })
    },
  }
}
