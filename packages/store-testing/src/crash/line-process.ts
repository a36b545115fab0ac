import { type ChildProcess, spawn } from 'node:child_process'

/** How a {@link LineProcess} is started. */
export interface LineProcessOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** A command that runs the process as its own. */
  readonly wrapper?: readonly string[]
}

/** A process of Node.js, what it says line by line, and ways to end it. */
export class LineProcess {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #exit: Promise<string>
  #waiting: (() => void)[] = []

  /** Starts a script with its arguments. What it complains of goes to the standard error of this process. */
  constructor(script: readonly string[], options: LineProcessOptions = {}) {
    const { environment = {}, wrapper = [] } = options
    // By env, which leaves the environment of this process to the program beside these.
    const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const prefix = settings.length === 0 ? [] : ['env', ...settings]
    const [program = process.execPath, ...words] = [...prefix, ...wrapper, process.execPath, ...script]
    this.#child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
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
  }

  /** Waits for the first line that begins so, and returns it. Throws where the process ends without one. */
  async line(start: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.startsWith(start))
      if (found !== undefined) return found
      if (this.#hasEnded) {
        await this.#exit
        const last = this.lines.find((line) => line.startsWith(start))
        if (last !== undefined) return last
        throw new Error(`The process ended without a line ${start}; it said: ${this.lines.join(' | ')}`)
      }
      await this.#woken()
    }
  }

  /** Waits for so many lines, or for its end. */
  async count(lines: number): Promise<void> {
    while (this.lines.length < lines && !this.#hasEnded) await this.#woken()
  }

  /** Ends its input, and waits for its exit code or signal. */
  async end(): Promise<string> {
    this.#child.stdin?.end()
    return this.#exit
  }

  /** Sends a signal, `SIGKILL` if none is named, and waits for its exit code or signal. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<string> {
    this.#child.kill(signal)
    return this.#exit
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Waits for its exit code or signal. */
  exit(): Promise<string> {
    return this.#exit
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
