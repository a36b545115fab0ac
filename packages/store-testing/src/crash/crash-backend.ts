import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import type { KvStore } from '@saltcod/store-core/backend'
import type { DiskImage } from './power-cut/disk-image.ts'

/**
 * What the crash suite asks of a backend: the exports of a module of JavaScript, which the suite imports, and so do
 * the processes that it kills. All stores lie in the directory that is handed over, which exists; each function opens
 * the same ones again.
 */
export interface CrashBackend {
  readonly openKv: (directory: string, tables: readonly string[]) => Promise<KvStore>
  readonly openJobStore: (directory: string) => Promise<JobStore>
  readonly openExecutionStore: (directory: string) => Promise<ExecutionStore>
  /**
   * Puts right what the files of an image say of inodes and times, which are others after a power cut that is played.
   * Absent where the files of a backend say nothing of the kind.
   */
  readonly renew?: (directory: string, image: DiskImage) => void
}

/** Imports the module of a backend. Throws `TypeError` where it exports not all that is needed. */
export async function importCrashBackend(module: URL): Promise<CrashBackend> {
  const found = (await import(module.href)) as Partial<CrashBackend>
  for (const name of ['openKv', 'openJobStore', 'openExecutionStore'] as const) {
    if (typeof found[name] !== 'function') throw new TypeError(`${module.href} exports no function ${name}.`)
  }
  return found as CrashBackend
}
