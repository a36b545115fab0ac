import { writeSync } from 'node:fs'

const FULL_PIPE_MS = 5

/**
 * Writes a text to an open file or pipe and returns once all of it is taken, so that nothing piles up in memory or
 * is lost when the process ends. Returns false where nobody reads any more, as after `| head`. Throws what the
 * system says otherwise.
 */
export function writeWhole(descriptor: number, text: string): boolean {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_MS)
    }
  }
  return true
}
