import type { ChildProcess } from 'node:child_process'
import { readProcess } from './process-table.ts'

const LOOK_MS = 250
/** A helper that every look of this time found stopped is stopped by somebody as fast as it is woken. */
const HOPELESS_MS = 10_000

/**
 * Keeps helpers going: a job runs as the same user, so it can stop what bounds it or others. One that is found stopped
 * is woken; one that is stopped again and again is killed, which ends its jobs as its death by any other cause does.
 */
class StopWatch {
  /** How often in a row each one was found stopped. */
  readonly #stops = new Map<ChildProcess, number>()
  #timer: NodeJS.Timeout | undefined

  /** Looks after a helper until it is gone. */
  watch(child: ChildProcess): void {
    this.#stops.set(child, 0)
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
    child.once('close', () => {
      this.#stops.delete(child)
      if (this.#stops.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
  }

  #look(): void {
    for (const [child, before] of this.#stops) {
      const stopped = isStopped(child)
      const stops = stopped ? before + 1 : 0
      this.#stops.set(child, stops)
      if (stopped) child.kill(stops * LOOK_MS > HOPELESS_MS ? 'SIGKILL' : 'SIGCONT')
    }
  }
}

function isStopped({ pid }: ChildProcess): boolean {
  try {
    return pid !== undefined && readProcess(pid)?.state === 'T'
  } catch {
    // The next look may see more.
    return false
  }
}

/** The watch over all helpers of this process. */
export const stopWatch: StopWatch = new StopWatch()
