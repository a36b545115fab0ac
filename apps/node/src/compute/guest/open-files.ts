import type { WasiFunctions } from './mounts.ts'

const SUCCESS = 0
const TOO_MANY = 33
/** So many files and directories may a guest have open at a time, in all its modules together. */
const MOST_OPEN = 256

type WasiCall = (...values: (number | bigint)[]) => unknown

/**
 * Counts what a guest has open, and refuses it more than its share: a runner without descriptors could neither keep
 * what the guest says nor tell how it ended.
 */
export class OpenFiles {
  #count = 0

  /** Wraps the functions of WASI that open and close. */
  bound(functions: WasiFunctions): WasiFunctions {
    const { path_open: open, fd_close: close, fd_renumber: renumber } = functions as Record<string, WasiCall>
    const bounded: Record<string, WasiCall> = {
      path_open: (...values) => {
        if (this.#count >= MOST_OPEN) return TOO_MANY
        const answer = open?.(...values)
        if (answer === SUCCESS) this.#count += 1
        return answer
      },
      fd_close: (...values) => this.#less(close?.(...values)),
      // Closes what had the number before.
      fd_renumber: (...values) => {
        const answer = renumber?.(...values)
        return values[0] === values[1] ? answer : this.#less(answer)
      },
    }
    return { ...functions, ...(bounded as WasiFunctions) }
  }

  /** Also below zero: what a guest was given may be closed, too. */
  #less(answer: unknown): unknown {
    if (answer === SUCCESS) this.#count -= 1
    return answer
  }
}
