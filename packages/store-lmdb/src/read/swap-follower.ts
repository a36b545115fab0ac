import { existsSync, statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { blockThread } from '../file/blocked-thread.ts'
import { probeDataFile } from '../file/file-probe.ts'
import { isSwapping } from '../file/rewrite-path.ts'
import type { StorePath } from '../file/store-path.ts'
import type { Environment } from '../native/environment.ts'
import { noteMove } from '../native/shared-environment.ts'
import { findOwner } from '../owner/owner-lock.ts'
import { lockedError } from '../refusal.ts'
import { isTorn } from '../rewrite/swap-recovery.ts'

/** An exchange takes milliseconds; a reader waits so long for its end, and looks so often. */
const MAX_WAIT_MS = 2_000
const POLL_MS = 5

/**
 * Keeps a reader on the file that is at its path: before each snapshot it compares data file and lock file with
 * those that were opened, and opens what is there now. While files are being exchanged it keeps what it has,
 * which is what was acknowledged last.
 */
export class SwapFollower {
  readonly #paths: StorePath
  readonly #environment: Environment
  /** What was opened; empty as long as it is not sure that its two files belong together. */
  #opened: string

  /** `opened` is what {@link identityOf} returned right before the environment was opened. */
  constructor(paths: StorePath, environment: Environment, opened: string) {
    this.#paths = paths
    this.#environment = environment
    this.#opened = identityOf(paths) === opened ? opened : ''
  }

  /**
   * To be called before each snapshot. Throws `STORE_LOCKED` where the files are exchanged without end, or what a
   * probe throws.
   */
  follow(): void {
    // A copy that is being written needs the file that is open.
    if (this.#opened !== '' && (this.#environment.copies.isBusy || isSwapping(this.#paths))) return
    if (this.#opened === identityOf(this.#paths)) return
    // Whoever removed the lock file has not told the owner: with a new one, it would not know of this reader.
    if (this.#opened !== '' && !existsSync(this.#paths.lock)) return
    this.#openAnew()
  }

  /** Lets go of all that the kernel has mapped for this reader, unless the file that is open is needed as it is. */
  unmap(): void {
    if (!this.#environment.copies.isBusy && !isSwapping(this.#paths)) this.#openAnew()
  }

  #openAnew(): void {
    const until = performance.now() + MAX_WAIT_MS
    while (!this.#open()) {
      if (performance.now() > until) throw lockedError(this.#paths.data, 'a rewrite that comes to no end')
      blockThread(POLL_MS)
    }
    noteMove(this.#environment)
  }

  /**
   * Returns false where files were exchanged meanwhile, so that two may have been opened that do not belong together.
   */
  #open(): boolean {
    this.#opened = ''
    if (isSwapping(this.#paths)) return false
    const before = identityOf(this.#paths)
    probeDataFile(this.#paths.data)
    this.#environment.closeNow()
    this.#environment.reopen()
    if (isSwapping(this.#paths) || identityOf(this.#paths) !== before) return false
    this.#opened = before
    return true
  }
}

/**
 * Waits before an opening for reading until no files are being exchanged. Throws `STORE_LOCKED` where an owner
 * died just between two steps of it, or does not come to its end.
 */
export async function awaitSwap(paths: StorePath): Promise<void> {
  const until = performance.now() + MAX_WAIT_MS
  while (isSwapping(paths)) {
    if (!findOwner(paths).alive) {
      // Only an owner may bring that in order; all other states can be read as they are.
      if (isTorn(paths))
        throw lockedError(paths.data, 'nobody, but its last owner died while it exchanged files')
      return
    }
    if (performance.now() > until) throw lockedError(paths.data, 'a rewrite that comes to no end')
    await setTimeout(POLL_MS)
  }
}

/** Returns what tells data file and lock file of a path from others. */
export function identityOf(paths: StorePath): string {
  return [paths.data, paths.lock]
    .map((path) => {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false })
      return found === undefined ? 'none' : `${found.dev}:${found.ino}`
    })
    .join(' ')
}
