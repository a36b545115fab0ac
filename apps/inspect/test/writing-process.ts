import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process that has a store open for writing. */
export interface WritingProcess {
  readonly pid: number
  /** Lets it finish, and resolves with how many jobs it submitted. */
  stop(): Promise<number>
  /** Ends it on the spot, whatever it is at. */
  kill(): Promise<void>
}

/**
 * Starts a process that submits jobs to a store, or only holds it where `pause` is `idle`. Each further round on
 * the same store needs a number of its own.
 */
export async function startWriter(path: string, pause: 'busy' | 'idle', round = 0): Promise<WritingProcess> {
  const program = fileURLToPath(new URL('writing-process.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, path, pause, String(round)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.value !== 'ready') throw new Error('the writing process did not start')
  return {
    pid: child.pid ?? 0,
    async stop() {
      const ended = once(child, 'close')
      child.stdin.end()
      const last = await lines.next()
      await ended
      return Number(last.value)
    },
    async kill() {
      const ended = once(child, 'close')
      child.kill('SIGKILL')
      await ended
    },
  }
}
