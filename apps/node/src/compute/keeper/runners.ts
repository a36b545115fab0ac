import { availableParallelism } from 'node:os'
import { Runner } from './runner.ts'
import { PATIENCE, type Patience } from './silence.ts'

/** An idle one beyond the number of cores ends after this. */
const IDLE_MS = 10_000

/** The processes in which guests run: as many as there are guests, and a few that wait for the next. */
export class Runners {
  readonly #env: Readonly<Record<string, string>>
  readonly #patience: Patience
  readonly #onCount: (started: number, retired: number) => void
  readonly #all = new Set<Runner>()
  readonly #idle: Runner[] = []
  #started = 0
  #tidying: NodeJS.Timeout | undefined

  /**
   * `env` is all that the processes see of an environment; `onCount` hears how many were started and given up; `patience` is
   * for a process to begin with its guest.
   */
  constructor(
    env: Readonly<Record<string, string>>,
    onCount: (started: number, retired: number) => void,
    patience: Patience = PATIENCE,
  ) {
    this.#env = env
    this.#patience = patience
    this.#onCount = onCount
  }

  /** A runner for one guest: one that ran guests of the same kind, else one that ran none. Throws where no process can be started. */
  take(sharing: string | null, fileBytes: number): Runner {
    const fits = (runner: Runner): boolean => !runner.gone && runner.fileBytes === fileBytes
    const runner =
      this.#remove((one) => fits(one) && sharing !== null && one.sharing === sharing) ??
      this.#remove((one) => fits(one) && one.sharing === undefined) ??
      this.#start(fileBytes)
    runner.sharing = sharing
    // One that is ready when the next guest comes, since a start takes longer than most guests.
    if (!this.#idle.some((one) => fits(one) && one.sharing === undefined))
      this.#idle.push(this.#start(fileBytes))
    this.#tidy()
    return runner
  }

  /** Ends all that wait, and kills the others. */
  kill(): void {
    for (const runner of this.#all) runner.kill()
  }

  #start(fileBytes: number): Runner {
    const runner = new Runner(fileBytes, {
      env: this.#env,
      patience: this.#patience,
      onIdle: () => this.#idle.push(runner),
      onGone: () => {
        this.#all.delete(runner)
        this.#tellCount()
      },
    })
    this.#all.add(runner)
    this.#started += 1
    this.#tellCount()
    return runner
  }

  #tellCount(): void {
    this.#onCount(this.#started, this.#started - this.#all.size)
  }

  /** Takes out the one that waited shortest, so that the others can end. */
  #remove(fits: (runner: Runner) => boolean): Runner | undefined {
    const index = this.#idle.findLastIndex(fits)
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0]
  }

  #tidy(): void {
    this.#tidying ??= setInterval(() => this.#endIdle(), IDLE_MS).unref()
  }

  #endIdle(): void {
    const spare = availableParallelism() + 1
    const before = performance.now() - IDLE_MS
    for (let left = this.#idle.length - spare; left > 0; left -= 1) {
      const [oldest] = this.#idle
      if (oldest === undefined || oldest.idleSinceMs > before) return
      this.#idle.shift()
      if (!oldest.gone) oldest.close()
    }
  }
}
