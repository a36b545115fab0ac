import { execFile, spawnSync } from 'node:child_process'
import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { PIPES_PREFIX } from './work-files.ts'

/** Made at once, since each making costs a process. */
const BATCH = 32
/** Nothing waits longer for a program that only makes names. */
const PATIENCE_MS = 5_000
/** More are made where fewer are left. */
const RESERVE = 16

/** A pipe that a job writes to: the job's end, which whoever starts the job closes, and ours as a stream. */
export interface LogPipe {
  readonly childEnd: number
  readonly stream: Readable
}

interface Ends {
  readonly reading: number
  readonly writing: number
}

interface Names {
  readonly directory: string
  readonly paths: readonly string[]
}

const run = promisify(execFile)

/**
 * Pipes that a job may also open by the names `/dev/stdout` and `/dev/stderr`; Node makes socket pairs, which
 * cannot be opened by name. They are made ahead, and have no name any more when they are handed out.
 */
export class LogPipes {
  readonly #ready: Ends[] = []
  #making: { readonly workDir: string; readonly done: Promise<void> } | undefined

  /**
   * Takes a pipe; undefined where the machine has no `mkfifo`, no descriptors or no room for their names. Where more
   * have to be made, their names are in a directory of the run for a moment, which is removed with it if this process
   * is killed then.
   */
  take(workDir: string): LogPipe | undefined {
    if (this.#ready.length === 0) this.#makeNow(workDir)
    const ends = this.#ready.pop()
    if (this.#ready.length < RESERVE) this.#making ??= { workDir, done: this.#makeMore(workDir) }
    if (ends === undefined) return undefined
    return {
      childEnd: ends.writing,
      stream: new Socket({ fd: ends.reading, readable: true, writable: false }),
    }
  }

  /** Resolves when nothing is made in the directory of a run, so that it can be removed. */
  async leave(workDir: string): Promise<void> {
    if (this.#making?.workDir === workDir) await this.#making.done
  }

  #makeNow(workDir: string): void {
    let names: Names | undefined
    try {
      names = newNames(workDir)
      if (
        spawnSync('mkfifo', optionsFor(names), {
          stdio: 'ignore',
          timeout: PATIENCE_MS,
          killSignal: 'SIGKILL',
        }).status === 0
      )
        this.#open(names.paths)
    } catch {
      // Without one, the streams of the job are socket pairs.
    } finally {
      remove(names)
    }
  }

  async #makeMore(workDir: string): Promise<void> {
    let names: Names | undefined
    try {
      // Not before whoever asks has noted that it is being made.
      await Promise.resolve()
      names = newNames(workDir)
      await run('mkfifo', optionsFor(names), { timeout: PATIENCE_MS, killSignal: 'SIGKILL' })
      this.#open(names.paths)
    } catch {
      // Tried again when the next one is taken.
    } finally {
      remove(names)
      this.#making = undefined
    }
  }

  #open(paths: readonly string[]): void {
    for (const path of paths) {
      // The reading end first and without waiting, or each open would wait for the other.
      const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
      try {
        if (!fstatSync(reading).isFIFO()) throw new Error(`${path} is no pipe any more`)
        // Not by its name: a job may have put another pipe there, at which this would wait for ever.
        this.#ready.push({ reading, writing: openSync(`/proc/self/fd/${reading}`, constants.O_WRONLY) })
      } catch (error) {
        closeSync(reading)
        throw error
      }
    }
  }
}

function newNames(workDir: string): Names {
  const directory = mkdtempSync(join(workDir, PIPES_PREFIX))
  return { directory, paths: Array.from({ length: BATCH }, (_, index) => join(directory, String(index))) }
}

function optionsFor({ paths }: Names): readonly string[] {
  return ['-m', '600', ...paths]
}

function remove(names: Names | undefined): void {
  try {
    if (names !== undefined) rmSync(names.directory, { recursive: true, force: true })
  } catch {
    // Without descriptors a directory cannot even be looked at. It goes with the run.
  }
}
