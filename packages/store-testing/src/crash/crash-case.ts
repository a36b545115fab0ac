import type { SeededRandom } from '../seeded-random.ts'
import type { CrashBackend } from './crash-backend.ts'

/** What one case of the crash suite works with. */
export interface CrashCaseContext {
  readonly module: URL
  readonly backend: CrashBackend
  /** An empty directory, which is removed afterwards. */
  readonly directory: string
  readonly kills: number
  readonly images: number
  readonly random: SeededRandom
}

/** One case of the crash suite. */
export interface CrashCase {
  readonly name: string
  /** Returns why it cannot be tried here, or `undefined` where it was. */
  readonly run: (context: CrashCaseContext) => Promise<string | undefined>
}

/** Why the cases that need a library to be preloaded cannot be tried. */
export const NO_COMPILER: string =
  'there is no gcc to build a library that stands between a process and its disk'
