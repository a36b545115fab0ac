import type { WriteRequest } from './write-group.ts'

/** Of the writing time, the part that background work may take while the foreground has work too. */
const BACKGROUND_SHARE = 0.25

/** How fast earlier turns are forgotten when the shares are compared. */
const MEMORY = 0.9

/**
 * Two queues, foreground and background, each in the order in which the requests came, and whose turn it is. While
 * nothing waits in the foreground, background work runs freely; else it gets its share of the time.
 */
export class WriteShare {
  readonly #foreground: Fifo<WriteRequest> = new Fifo<WriteRequest>()
  readonly #background: Fifo<WriteRequest> = new Fifo<WriteRequest>()
  #foregroundMs = 0
  #backgroundMs = 0

  /** Requests that wait. */
  get length(): number {
    return this.#foreground.length + this.#background.length
  }

  push(request: WriteRequest): void {
    this.#of(request.background).push(request)
  }

  /** Takes the oldest request of one of the queues; `undefined` where it is empty. */
  shift(background: boolean): WriteRequest | undefined {
    return this.#of(background).shift()
  }

  /** Takes all requests. */
  drain(): WriteRequest[] {
    return [...this.#foreground.drain(), ...this.#background.drain()]
  }

  /** Tells whether the next group should be one of background work. */
  backgroundIsDue(): boolean {
    if (this.#background.length === 0) return false
    if (this.#foreground.length === 0) return true
    return this.#backgroundMs < BACKGROUND_SHARE * (this.#foregroundMs + this.#backgroundMs)
  }

  /** Takes note of the time that a group took. */
  spent(background: boolean, durationMs: number): void {
    this.#foregroundMs = this.#foregroundMs * MEMORY + (background ? 0 : durationMs)
    this.#backgroundMs = this.#backgroundMs * MEMORY + (background ? durationMs : 0)
  }

  #of(background: boolean): Fifo<WriteRequest> {
    return background ? this.#background : this.#foreground
  }
}

/** A queue whose `shift` stays cheap when it is long. */
class Fifo<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#head += 1
    // Also when it becomes empty, so that no finished request is kept alive.
    if (this.#head === this.#items.length || this.#head > 1_000) this.#compact()
    return item
  }

  drain(): T[] {
    this.#compact()
    return this.#items.splice(0)
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
