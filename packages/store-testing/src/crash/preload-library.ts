import { execFileSync, spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The source of a library that lets one kind of system call fail with EIO while the file named in `FAILING_DISK` names
 * it: `sync` (fsync, fdatasync, msync), `write` (every write into a file), or what the source says of single backends.
 */
export const FAILING_DISK: URL = new URL('../../native/failing-disk.c', import.meta.url)

/**
 * The source of a library that writes down what a process changes below the directory `RECORDED_DIRECTORY`, and what
 * it says, into the file `RECORD`; `PowerCutDisk` reads that. Writes into mapped memory are seen where `msync` hands
 * them over.
 */
export const RECORDING_DISK: URL = new URL('../../native/recording-disk.c', import.meta.url)

/** The source of a library that makes each `fsync` and `fdatasync` take `SLOW_DISK_MS` milliseconds longer. */
export const SLOW_DISK: URL = new URL('../../native/slow-disk.c', import.meta.url)

/**
 * Builds a library for `LD_PRELOAD` from a source, into a directory, with gcc; `undefined` where there is no gcc, or
 * another system than Linux. Throws where there is one that cannot build it, so that no test is left out unseen.
 */
export function preloadLibrary(source: URL, directory: string): string | undefined {
  if (process.platform !== 'linux') return undefined
  if (spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined
  const path = fileURLToPath(source)
  const library = join(directory, `${basename(path)}.so`)
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, path, '-ldl'], { stdio: 'pipe' })
  return library
}
