import { execFileSync, spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Lets a disk fail; the source says how it is told to. */
export const FAILING_DISK: URL = new URL('failing-disk.c', import.meta.url)

/**
 * Builds a library for `LD_PRELOAD` from a source, into a directory; `undefined` where there is no compiler or another system. In
 * continuous integration a compiler that is there has to build it, so that no test is left out unseen.
 */
export function preloadLibrary(source: URL, directory: string): string | undefined {
  if (process.platform !== 'linux') return undefined
  const path = fileURLToPath(source)
  const library = join(directory, `${basename(path)}.so`)
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, path, '-ldl'], { stdio: 'pipe' })
    return library
  } catch (error) {
    const hasCompiler = spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0
    if (process.env['CI'] === 'true' && hasCompiler) throw error
    return undefined
  }
}
