import { close, closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { blockThread } from '../file/blocked-thread.ts'
import { nativeLock } from '../file/native-lock.ts'
import { spareDescriptors } from '../file/spare-descriptors.ts'
import { lockedError, messageOf, permissionError, systemCode, systemError } from '../refusal.ts'

/**
 * Two bytes far beyond the end of any file, where locks touch nothing else. Only owners lock the first, so whoever
 * finds it taken has found an owner. The second is for those who only look: to look is to lock it for a moment, which
 * must not turn an owner away.
 */
const OWNER_BYTE = 2 ** 50
const LOOK_BYTE = OWNER_BYTE + 1

/** So long a new owner waits for those who look. */
const MAX_LOOK_MS = 2_000

/**
 * The lock on a file that makes this process its one owner: on the file itself and not on its name, so that whoever
 * opens it by another name finds it too. It belongs to the open file, so the kernel drops it when the process ends,
 * however it ends, and other descriptors of the file can be closed without harm. It is right across containers,
 * needing neither process ids nor a clock.
 */
export class FileLock {
  readonly #file: number
  readonly #identity: string

  private constructor(file: number) {
    this.#file = file
    this.#identity = identityOf(fstatSync(file, { bigint: true }))
  }

  /**
   * Locks a file that is there. Returns `undefined` where somebody else has it. Throws `STORE_PERMISSION`, also where
   * the file system has no such locks, `STORE_LOCKED` where somebody looks at it without end, or what opening it
   * throws.
   */
  static tryTake(path: string): FileLock | undefined {
    const file = openSync(path, 'r+')
    try {
      if (tryLock(path, file, OWNER_BYTE, true)) {
        const until = performance.now() + MAX_LOOK_MS
        while (!tryLock(path, file, LOOK_BYTE, true)) {
          if (performance.now() > until)
            throw lockedError(path, 'a process that looks at it and does not go on')
          blockThread(1)
        }
        return new FileLock(file)
      }
    } catch (error) {
      closeSync(file)
      throw error
    }
    closeSync(file)
    return undefined
  }

  /** Whether the locked file is the one at a path. */
  isAt(path: string): boolean {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false })
    return found !== undefined && identityOf(found) === this.#identity
  }

  /** Whether the locked file has no name any more: nobody will open it again. */
  get isRemoved(): boolean {
    return fstatSync(this.#file).nlink === 0
  }

  release(): void {
    closeSync(this.#file)
  }

  /** Does not wait: where the file has no name any more, closing it takes until its blocks are free. */
  releaseSoon(): void {
    close(this.#file, () => spareDescriptors.refill())
  }
}

/**
 * Tells whether somebody holds the {@link FileLock} of a file; false where there is no file. Writes nothing.
 * Throws `STORE_PERMISSION`, also where the file system has no such locks.
 */
export function isLocked(path: string): boolean {
  for (;;) {
    const file = openIfThere(path)
    if (file === undefined) return false
    try {
      if (!tryLock(path, file, LOOK_BYTE, false)) return true
      const now = statSync(path, { bigint: true, throwIfNoEntry: false })
      // A rewrite may have put another file there, whose lock tells.
      if (now === undefined || identityOf(now) === identityOf(fstatSync(file, { bigint: true }))) return false
    } finally {
      closeSync(file)
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw systemError(path, 'it cannot be read', error)
  }
}

function tryLock(path: string, file: number, offset: number, exclusive: boolean): boolean {
  try {
    nativeLock().tryLock(file, offset, 1, exclusive)
    return true
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EAGAIN' || code === 'EACCES') return false
    const hint = 'put the store on a local file system that has file locks'
    throw permissionError(path, `it cannot be locked (${messageOf(error)})`, error, hint)
  }
}

function identityOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`
}
