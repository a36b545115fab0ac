import { Failure, printable, type Terminal } from '@saltcod/cli-kit'
import { bacalhauPaths, hasGenerations, withBacalhauFiles } from '../bacalhau/bacalhau-files.ts'
import { NotedOnce } from '../bacalhau/noted-once.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { locateStores, ownPaths } from '../store/locate.ts'
import { eachStore, type OpenedStore, openStore } from '../store/open-store.ts'
import { isUnreadable, passOver } from '../store/unreadable-store.ts'
import { ownSource } from './own-source.ts'
import type { JobSource, RecordSource } from './record-source.ts'

type Visit<S extends RecordSource> = (source: S, total: number) => Promise<void>

/**
 * The stores that an argument means, of ours or of Bacalhau: a file, or all of a repository directory. What is wrong
 * with one of them is complained of once, however often they are gone through.
 */
export class Sources {
  /** What was given. */
  readonly argument: string
  readonly #terminal: Terminal
  /**
   * Files of Bacalhau are opened anew each time that they are gone through, and what is odd about them is said again.
   */
  readonly #sayingOnce: Terminal
  readonly #unreadable = new Set<string>()
  readonly #noted: NotedOnce
  #isToldOfBoth = false

  constructor(terminal: Terminal, argument: string) {
    this.argument = argument
    this.#terminal = terminal
    this.#sayingOnce = sayingOnce(terminal)
    this.#noted = new NotedOnce(terminal)
  }

  /** Whether several files of one kind stand for one store, as after an upgrade of Bacalhau. */
  get hasGenerations(): boolean {
    return hasGenerations(bacalhauPaths(this.argument))
  }

  /** How many records of files of Bacalhau could not be read so far. */
  get leftOut(): number {
    return this.#noted.leftOut
  }

  /** Tells whether they are files of Bacalhau. */
  async areOfBacalhau(): Promise<boolean> {
    const foreign = bacalhauPaths(this.argument)
    return foreign.length > 0 && !(await this.#hasOwn(foreign))
  }

  /**
   * Opens every store, those of jobs first, one after the other, and closes each after its turn. Where there are
   * several, one that cannot be read is complained of and passed over. Resolves with `unreadable` where there was such
   * a one, or where the repository had one that is gone. Throws a `Failure` where there is none.
   */
  async each(visit: Visit<RecordSource>): Promise<ExitCode | undefined> {
    if (await this.areOfBacalhau()) return await this.#eachOfBacalhau(visit)
    return await eachStore(
      this.#terminal,
      this.argument,
      async (opened, total) => await visit(ownSource(opened), total),
      this.#unreadable,
    )
  }

  /** Does the same with the stores of jobs alone. Throws a `Failure` where there is none. */
  async eachOfJobs(visit: Visit<JobSource>): Promise<ExitCode | undefined> {
    let found = false
    const code = await this.each(async (source, total) => {
      if (source.kind !== 'jobs') return
      found = true
      await visit(source, total)
    })
    if (found || code !== undefined) return code
    throw new Failure(EXIT.usage, `${this.argument} is no store of jobs`, {
      hint: 'jobs and evaluations are in the store of a requester; a compute node keeps executions',
    })
  }

  /** Opens all stores at once, calls `use`, and closes them. */
  async together<T>(use: (sources: readonly RecordSource[]) => Promise<T>): Promise<T> {
    if (await this.areOfBacalhau()) {
      const { bacalhauSources } = await import('../bacalhau/bacalhau-sources.ts')
      return await withBacalhauFiles(
        this.#sayingOnce,
        this.argument,
        async (files) => await use(await bacalhauSources(files, this.#noted.tell)),
      )
    }
    const opened: OpenedStore[] = []
    try {
      for (const path of await locateStores(this.argument)) opened.push(await openStore(path))
      return await use(opened.map(ownSource))
    } finally {
      for (const { kv } of opened) await kv.close()
    }
  }

  async #eachOfBacalhau(visit: Visit<RecordSource>): Promise<ExitCode | undefined> {
    const { bacalhauSources } = await import('../bacalhau/bacalhau-sources.ts')
    return await withBacalhauFiles(
      this.#sayingOnce,
      this.argument,
      async (files) => {
        const sources = await bacalhauSources(files, this.#noted.tell)
        for (const source of sources) {
          if (this.#unreadable.has(source.path)) continue
          try {
            await visit(source, sources.length)
          } catch (error) {
            if (sources.length === 1 || !isUnreadable(error)) throw error
            this.#passOver(source.path, error)
          }
        }
        this.#noted.flush()
        return this.#unreadable.size === 0 ? undefined : EXIT.unreadable
      },
      (path, error) => {
        if (!isUnreadable(error)) throw error
        if (!this.#unreadable.has(path)) this.#passOver(path, error)
      },
    )
  }

  #passOver(path: string, error: Error): void {
    this.#unreadable.add(path)
    passOver(this.#terminal, path, error)
  }

  /** An import may have made stores beside the files that it read. */
  async #hasOwn(foreign: readonly string[]): Promise<boolean> {
    const own = await ownPaths(this.argument)
    if (own.length === 0) return false
    if (!this.#isToldOfBoth) {
      this.#isToldOfBoth = true
      this.#terminal.err(
        `Note: beside these stores lie files of Bacalhau, which are not shown: ${foreign.map(printable).join(', ')}\n`,
      )
    }
    return true
  }
}

function sayingOnce(terminal: Terminal): Terminal {
  const said = new Set<string>()
  return {
    ...terminal,
    err: (text) => {
      if (said.has(text)) return
      said.add(text)
      terminal.err(text)
    },
  }
}

/** Opens the stores of jobs of sources, if there are any, for a function. */
export async function withJobsOf<T>(
  sources: Sources | null,
  use: (jobs: readonly JobSource[]) => Promise<T>,
): Promise<T> {
  if (sources === null) return await use([])
  return await sources.together((all) => use(all.filter((source) => source.kind === 'jobs')))
}
