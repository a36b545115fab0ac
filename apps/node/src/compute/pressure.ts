import type { Headroom } from './headroom.ts'

/** Between two looks at the machine. */
const LOOK_MS = 200
/** So many runs may begin on one look, since what they will take does not show at once. */
const STARTS_PER_LOOK = 32
/** Once held, runs go on when there is so much more than the threshold, so that a node does not swing about it. */
const RELIEF = 1.25

const NAMES: { readonly [Kind in keyof Headroom]: (amount: number) => string } = {
  diskBytes: (amount) => `${Math.floor(amount / 1024 ** 2)} MiB of disk`,
  memoryBytes: (amount) => `${Math.floor(amount / 1024 ** 2)} MiB of memory`,
  processes: (amount) => `${Math.floor(amount)} processes`,
  files: (amount) => `${Math.floor(amount)} open files`,
}

/** Holds new runs back while the machine itself has too little left for them, whatever they reserve. */
export class Pressure {
  readonly #least: Headroom
  readonly #look: () => Headroom
  readonly #now: () => number
  #nextAtMs = Number.NEGATIVE_INFINITY
  #starts = 0
  #holding: string | undefined

  /** `least` is what must be left for others; 0 asks for nothing. */
  constructor(least: Headroom, look: () => Headroom, now: () => number = () => performance.now()) {
    this.#least = least
    this.#look = look
    this.#now = now
  }

  /** Says in a few words what the machine lacks for another run; undefined where one may begin. */
  holding(): string | undefined {
    const nowMs = this.#now()
    if (nowMs >= this.#nextAtMs || (this.#starts >= STARTS_PER_LOOK && this.#holding === undefined)) {
      this.#nextAtMs = nowMs + LOOK_MS
      this.#starts = 0
      this.#holding = this.#lack()
    }
    this.#starts += 1
    return this.#holding
  }

  #lack(): string | undefined {
    const has = this.#look()
    const factor = this.#holding === undefined ? 1 : RELIEF
    for (const kind of ['memoryBytes', 'diskBytes', 'processes', 'files'] as const) {
      const least = this.#least[kind]
      if (has[kind] < least * factor)
        return `the machine has ${NAMES[kind](has[kind])} left, and ${NAMES[kind](least)} are kept free`
    }
    return undefined
  }
}
