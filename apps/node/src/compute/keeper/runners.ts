import { IdlePool } from './idle-pool.ts'
import { Runner } from './runner.ts'
import { PATIENCE, type Patience } from './silence.ts'

/** The processes in which guests run: as many as there are guests, and a few that wait for the next. */
export class Runners {
  readonly #env: Readonly<Record<string, string>>
  readonly #patience: Patience
  readonly #onCount: (started: number, retired: number) => void
  readonly #all = new Set<Runner>()
  readonly #idle = new IdlePool<Runner>()
  #started = 0

  /**
   * `env` is all that the processes see of an environment; `onCount` hears how many were started and given up;
   * `patience` is for a process to begin with its guest.
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

  /**
   * A runner for one guest: one that ran guests of the same kind, else one that ran none. Throws where no process can
   * be started.
   */
  take(sharing: string | null, fileBytes: number): Runner {
    const fits = (runner: Runner): boolean => runner.fileBytes === fileBytes
    const runner = this.#idle.take(sharing, fits) ?? this.#start(fileBytes)
    runner.sharing = sharing
    // One that is ready when the next guest comes, since a start takes longer than most guests.
    if (!this.#idle.hasUnused(fits)) this.#idle.add(this.#start(fileBytes))
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
      onIdle: () => this.#idle.add(runner),
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
}
