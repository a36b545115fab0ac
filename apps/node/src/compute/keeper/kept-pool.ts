import { availableParallelism } from 'node:os'

/** An idle one beyond the number of cores ends after this. */
const IDLE_MS = 10_000
/** So often is one tried to be made for somebody who waits. */
const MOST_TRIES = 3

/** What works for one job at a time, and may be kept for the next. */
export interface Kept {
  /** Only jobs that want this form can have it. */
  readonly form: number
  /** Which jobs it takes; undefined before the first, null for no other. */
  sharing: string | null | undefined
  /** When its last job ended. */
  idleSinceMs: number
  /** True when it takes no job any more. */
  readonly gone: boolean
  /** Lets it end. */
  close(): void
}

interface Waiting<T> {
  readonly sharing: string | null
  readonly form: number
  tries: number
  readonly resolve: (one: T) => void
  readonly reject: (error: unknown) => void
}

/**
 * Hands out what works for one job at a time: what jobs of one kind leave behind is for jobs of that kind alone. No
 * more than there are cores are being made at a time, since more would only make each other slower; whoever waits
 * meanwhile also has what others give back.
 */
export class KeptPool<T extends Kept> {
  readonly #make: (form: number) => Promise<T>
  readonly #idle: T[] = []
  readonly #waiting: Waiting<T>[] = []
  /** The form of each that is being made. */
  readonly #making: number[] = []
  #tidying: NodeJS.Timeout | undefined

  /** `make` rejects where the machine refuses another one. */
  constructor(make: (form: number) => Promise<T>) {
    this.#make = make
  }

  /**
   * Takes one for a job: one that had jobs of the same kind, else one that had none; with null as the kind, one that
   * had none and will have no other. Rejects where none can be made.
   */
  async take(sharing: string | null, form: number = 0): Promise<T> {
    const idle = this.#remove(sharing, form)
    if (idle !== undefined) {
      idle.sharing = sharing
      this.#makeSpare(form)
      return idle
    }
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ sharing, form, tries: 0, resolve, reject })
      this.#makeForWaiting()
    })
  }

  /** Takes one in: for whoever waits longest for its like, else it waits itself from now on. */
  add(one: T): void {
    if (one.gone) return
    const index = this.#waiting.findIndex(({ sharing, form }) => fits(one, sharing, form))
    const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1)
    if (waiting !== undefined) {
      one.sharing = waiting.sharing
      waiting.resolve(one)
      if (this.#waiting.length === 0) this.#makeSpare(waiting.form)
      return
    }
    one.idleSinceMs = performance.now()
    this.#idle.push(one)
    this.#tidying ??= setInterval(() => this.#endIdle(), IDLE_MS).unref()
  }

  /** Takes out the one that waited shortest, so that the others can end. */
  #remove(sharing: string | null, form: number): T | undefined {
    const had = (one: T): boolean => one.sharing !== undefined && fits(one, sharing, form)
    let index = this.#idle.findLastIndex(had)
    if (index < 0) index = this.#idle.findLastIndex((one) => fits(one, sharing, form))
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0]
  }

  /** One that is ready when the next job comes, since its making takes longer than most jobs. */
  #makeSpare(form: number): void {
    const isUnused = (one: T): boolean => one.sharing === undefined && one.form === form && !one.gone
    if (!this.#making.includes(form) && !this.#idle.some(isUnused)) this.#makeOne(form)
  }

  #makeForWaiting(): void {
    for (const { form } of this.#waiting) {
      if (this.#making.length >= availableParallelism()) return
      const wanted = this.#waiting.filter((waiting) => waiting.form === form).length
      if (this.#making.filter((made) => made === form).length < wanted) this.#makeOne(form)
    }
  }

  #makeOne(form: number): void {
    this.#making.push(form)
    void this.#make(form).then(
      (one) => {
        this.#made(form)
        this.add(one)
        this.#makeForWaiting()
      },
      (error: unknown) => {
        this.#made(form)
        this.#disappoint(form, error)
        this.#makeForWaiting()
      },
    )
  }

  #made(form: number): void {
    this.#making.splice(this.#making.indexOf(form), 1)
  }

  /** The one that waits longest for what could not be made waits for others, but not for ever. */
  #disappoint(form: number, error: unknown): void {
    const waiting = this.#waiting.find((one) => one.form === form)
    if (waiting === undefined) return
    waiting.tries += 1
    if (waiting.tries < MOST_TRIES) return
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
    waiting.reject(error)
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

function fits(one: Kept, sharing: string | null, form: number): boolean {
  if (one.gone || one.form !== form) return false
  return one.sharing === undefined || (sharing !== null && one.sharing === sharing)
}
