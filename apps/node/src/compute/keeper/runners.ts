import { KeptPool } from './kept-pool.ts'
import { Runner } from './runner.ts'
import { PATIENCE, type Patience } from './silence.ts'

/** The processes in which guests run: as many as there are guests, and a few that wait for the next. */
export class Runners {
  readonly #env: Readonly<Record<string, string>>
  readonly #patience: Patience
  readonly #onCount: (started: number, retired: number) => void
  readonly #all = new Set<Runner>()
  readonly #pool = new KeptPool<Runner>((fileBytes) => this.#start(fileBytes))
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
   * A runner for one guest: one that ran guests of the same kind, else one that ran none. Rejects where no process can
   * be started.
   */
  async take(sharing: string | null, fileBytes: number): Promise<Runner> {
    return await this.#pool.take(sharing, fileBytes)
  }

  /** Takes one back that was not used, and so is for any guest. */
  giveBack(runner: Runner): void {
    runner.sharing = undefined
    this.#pool.add(runner)
  }

  /** Ends all that wait, and kills the others. */
  kill(): void {
    for (const runner of this.#all) runner.kill()
  }

  async #start(fileBytes: number): Promise<Runner> {
    const runner = new Runner(fileBytes, {
      env: this.#env,
      patience: this.#patience,
      onIdle: () => this.#pool.add(runner),
      onGone: () => {
        this.#all.delete(runner)
        this.#tellCount()
      },
    })
    this.#all.add(runner)
    this.#started += 1
    this.#tellCount()
    await runner.ready
    return runner
  }

  #tellCount(): void {
    this.#onCount(this.#started, this.#started - this.#all.size)
  }
}
