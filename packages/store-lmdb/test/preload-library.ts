import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { temporaryDirectory } from './temporary-directory.ts'

/** Builds a library for `LD_PRELOAD` from a source beside this file; `undefined` where there is no compiler or another system. */
export function preloadLibrary(source: string): string | undefined {
  const library = join(temporaryDirectory(), `${source}.so`)
  const path = fileURLToPath(new URL(source, import.meta.url))
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, path, '-ldl'], { stdio: 'ignore' })
    return process.platform === 'linux' ? library : undefined
  } catch {
    return undefined
  }
}
