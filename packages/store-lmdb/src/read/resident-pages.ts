import { readFileSync } from 'node:fs'

/** The unit in which the kernel counts there, on every platform that is supported. */
const KERNEL_PAGE_BYTES = 4_096

/**
 * Tells when a reader has too much of a mapped file in its memory. The kernel takes such pages back when others need
 * memory, but until then they count for the process, whose limit may be smaller than the file.
 */
export class ResidentPages {
  readonly #maxBytes: number
  readonly #before: number

  /** What is mapped now, such as the program itself, does not count. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#before = mappedBytes()
  }

  /** Whether more than the most has been mapped since. False where the kernel does not tell. */
  get areTooMany(): boolean {
    return mappedBytes() - this.#before > this.#maxBytes
  }
}

/** Bytes of files that are in the memory of this process; 0 where the kernel does not tell. */
function mappedBytes(): number {
  try {
    return Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[2]) * KERNEL_PAGE_BYTES
  } catch {
    return 0
  }
}
