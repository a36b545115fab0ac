import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { plainEnvironment } from '../../../../test/plain-environment.ts'
import { PROGRAM } from './binary.ts'

/** A command that runs while its node is killed and started again. */
export class RunningCommand {
  stdout = ''
  stderr = ''
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>
  readonly #child: ChildProcess

  constructor(argv: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [PROGRAM, ...argv], {
      env: { ...plainEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.exited = new Promise((resolve) => child.on('close', (code) => resolve(code)))
    onTestFinished(() => void child.kill('SIGKILL'))
  }

  /** Tells whether it has a connection to a port of this machine. */
  isConnectedTo(port: string): boolean {
    const directory = `/proc/${this.#child.pid}/fd`
    const sockets = new Set(readdirSync(directory).map((name) => targetOf(join(directory, name))))
    const remote = `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`
    return readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some((cells) => cells[2]?.endsWith(remote) && cells[3] === '01' && sockets.has(`socket:[${cells[9]}]`))
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }
}

/** What a descriptor leads to; it may have been closed meanwhile. */
function targetOf(descriptor: string): string | null {
  try {
    return readlinkSync(descriptor)
  } catch {
    return null
  }
}
