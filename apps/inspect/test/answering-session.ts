import { type ChildProcess, fork } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROCESS = fileURLToPath(new URL('answering-process.mjs', import.meta.url))
const NOW_MS = 1_900_000_000_000
const MAX_RUN_MS = 240_000
const OWN_READER = /"processId": \d+(?:,\s*"transaction": (?:null|"\d+"))?/g
/** What LMDB does to the memory of a process that read damaged files must not tell on many others. */
const MAX_STORES = 20

/** What a command answered. */
export interface Answer {
  readonly command: string
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

/**
 * A process that asks one store after the other, so that not each of them pays for a start. A new one follows one that
 * a store ends.
 */
export class AnsweringSession {
  #child: ChildProcess | undefined
  #stores = 0

  /**
   * Asks a store several things. Resolves with `null` where that ended the process, or took too long. `held` keeps the
   * store open for reading meanwhile.
   */
  async ask(
    path: string,
    commands: readonly (readonly string[])[],
    held: boolean,
  ): Promise<readonly Answer[] | null> {
    if (this.#stores >= MAX_STORES) this.close()
    this.#stores += 1
    this.#child ??= fork(PROCESS, [String(NOW_MS)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const answers = await answersOf(this.#child, { path, held, commands })
    if (answers === null) {
      this.close()
      return null
    }
    const place = realpathSync(dirname(path))
    return answers.map((answer) => ({
      ...answer,
      stdout: answer.stdout.replaceAll(place, '.').replaceAll(OWN_READER, '"processId": 0'),
    }))
  }

  /** Ends the process. */
  close(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
    this.#stores = 0
  }
}

async function answersOf(child: ChildProcess, message: object): Promise<readonly Answer[] | null> {
  return new Promise((resolve) => {
    const settle = (answers: readonly Answer[] | null): void => {
      clearTimeout(timer)
      child.removeAllListeners()
      resolve(answers)
    }
    const timer = setTimeout(() => settle(null), MAX_RUN_MS)
    child.on('message', ({ answers }: { readonly answers?: readonly Answer[] }) => {
      // A command may have messages of its own for whoever started it.
      if (answers !== undefined) settle(answers)
    })
    child.once('exit', () => settle(null))
    child.once('error', () => settle(null))
    child.send(message)
  })
}
