import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The official programs, which lie beside the project where somebody keeps them; it carries none. */
export const OFFICIAL_TOOLS: string = fileURLToPath(new URL('../../../../shared/tools/', import.meta.url))

/** The program that runs one of them: its first argument is the release. */
export const OFFICIAL: string = join(OFFICIAL_TOOLS, 'official')

/** A release of the official command line. */
export type Release = '1.9.3' | '1.4.0'

/** Says why the official programs cannot be run here; `null` where they can. */
export function officialMissing(): string | null {
  if (!existsSync(OFFICIAL)) return `there are no official programs in ${OFFICIAL_TOOLS}`
  try {
    execFileSync('unshare', ['-n', 'true'])
    return null
  } catch {
    return 'this user may make no network namespace'
  }
}
