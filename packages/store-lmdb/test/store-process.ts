import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { onTestFinished } from 'vitest'

const SCRIPT = fileURLToPath(new URL('./store-process.mjs', import.meta.url))

/** Options of {@link StoreProcess}. */
interface StoreProcessOptions {
  readonly umask?: string
  readonly environment?: Readonly<Record<string, string>>
  /** A command that runs the process as its own. */
  readonly wrapper?: readonly string[]
}

/** Lines that a process says, and ways to end it. It is killed when the test is over. */
export class StoreProcess {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #exit: Promise<string>
  #waiting: (() => void)[] = []

  constructor(
    command: 'own' | 'write' | 'rewrite' | 'read',
    path: string,
    options: StoreProcessOptions = {},
  ) {
    const { umask, environment, wrapper = [] } = options
    const script = [SCRIPT, command, path, ...(umask === undefined ? [] : [umask])]
    const [program, ...words] = [...wrapper, process.execPath, ...script]
    this.#child = spawn(program ?? process.execPath, words, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    })
    let rest = ''
    this.#child.stdout?.setEncoding('utf8')
    this.#child.stdout?.on('data', (text: string) => {
      const parts = `${rest}${text}`.split('\n')
      rest = parts.pop() ?? ''
      this.lines.push(...parts)
      this.#wake()
    })
    this.#exit = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        resolve(signal ?? String(code))
        this.#wake()
      })
    })
    onTestFinished(() => {
      this.#child.kill('SIGKILL')
    })
  }

  /** Waits for the first line that begins so, and returns it. */
  async line(start: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.startsWith(start))
      if (found !== undefined) return found
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        await this.#exit
        const last = this.lines.find((line) => line.startsWith(start))
        if (last !== undefined) return last
        throw new Error(`The process ended without a line ${start}; it said: ${this.lines.join(' | ')}`)
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }

  /** Waits for so many lines. */
  async count(lines: number): Promise<void> {
    while (this.lines.length < lines) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }

  /** Ends its input, and waits for its exit code or signal. */
  async end(): Promise<string> {
    this.#child.stdin?.end()
    return this.#exit
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<string> {
    this.#child.kill(signal)
    return this.#exit
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  exit(): Promise<string> {
    return this.#exit
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
