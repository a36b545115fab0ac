/** Writes whole numbers in seven bits a byte, the lowest first; the eighth bit says that more follow. */
export class VarintWriter {
  readonly #bytes: number[] = []

  /** Adds a whole number from 0. */
  number(value: number): void {
    let left = value
    while (left >= 0x80) {
      this.#bytes.push((left % 0x80) | 0x80)
      left = Math.floor(left / 0x80)
    }
    this.#bytes.push(left)
  }

  /** Adds bytes with their length before them. */
  bytes(value: Uint8Array): void {
    this.number(value.length)
    this.#bytes.push(...value)
  }

  /** Returns all that was written. */
  done(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

/** Reads what {@link VarintWriter} wrote. Its methods throw a `RangeError` behind the end. */
export class VarintReader {
  readonly #source: Uint8Array
  #offset = 0

  constructor(source: Uint8Array) {
    this.#source = source
  }

  /** Reads a whole number. */
  number(): number {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#source[this.#offset]
      if (byte === undefined || factor > Number.MAX_SAFE_INTEGER)
        throw new RangeError('the bytes end too soon')
      this.#offset += 1
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }

  /** Reads bytes with their length before them. */
  bytes(): Uint8Array {
    const length = this.number()
    const end = this.#offset + length
    if (end > this.#source.length) throw new RangeError('the bytes end too soon')
    const bytes = this.#source.subarray(this.#offset, end)
    this.#offset = end
    return bytes
  }

  /** Returns all that has not been read. */
  rest(): Uint8Array {
    return this.#source.subarray(this.#offset)
  }
}
