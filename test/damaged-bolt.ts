import { type BucketToWrite, sealMeta } from './bolt-writer.ts'
import { randomBelow } from './random-numbers.ts'

const HEADER = 16
const ELEMENT = 16
const LARGE = [0xffff_ffff, 0xffff_fff0, 0x8000_0000, 0x7fff_ffff, 0x1_0000, 0xffff, 4097, 1, 0]
const LARGE_PAGES = [2n ** 64n - 1n, 2n ** 63n, 2n ** 47n, 2n ** 32n, 1_000_000n, 1n, 0n]

/** What makes damage of one kind. */
class Damager {
  bytes: Buffer
  readonly below: (end: number) => number
  readonly #pageBytes: number

  constructor(sound: Buffer, pageBytes: number, seed: number) {
    this.bytes = Buffer.from(sound)
    this.below = randomBelow(seed)
    this.#pageBytes = pageBytes
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  /** The beginning of any page, or of one of a kind. */
  page(kind?: number): number {
    const starts = Array.from(
      { length: this.bytes.length / this.#pageBytes },
      (_, page) => page * this.#pageBytes,
    )
    const wanted = starts.filter((at) => kind === undefined || this.bytes.readUInt16LE(at + 8) === kind)
    return this.oneOf(wanted.length === 0 ? starts : wanted)
  }

  /** The beginning of an element of a page. */
  element(page: number): number {
    const count = Math.min(this.bytes.readUInt16LE(page + 10), (this.#pageBytes - HEADER) / ELEMENT)
    return page + HEADER + this.below(Math.max(1, count)) * ELEMENT
  }

  flip(times: number): void {
    for (let time = 0; time < times; time += 1) {
      const at = this.below(this.bytes.length)
      this.bytes.writeUInt8(this.bytes.readUInt8(at) ^ (1 << this.below(8)), at)
    }
  }

  cut(): void {
    this.bytes = this.bytes.subarray(0, this.below(this.bytes.length))
  }

  zero(): void {
    const page = this.page()
    this.bytes.fill(0, page, page + this.#pageBytes)
  }

  swap(): void {
    const [one, other] = [this.page(), this.page()]
    const kept = Buffer.from(this.bytes.subarray(one, one + this.#pageBytes))
    this.bytes.copy(this.bytes, one, other, other + this.#pageBytes)
    kept.copy(this.bytes, other)
    // Half of them say what page they are, as a writer leaves them that writes to the wrong place.
    if (this.below(2) === 0) {
      for (const at of [one, other]) this.bytes.writeBigUInt64LE(BigInt(at / this.#pageBytes), at)
    }
  }

  /** A child, a root of a bucket or a root of all that leads to any page, itself among them. */
  refer(): void {
    const target = BigInt(this.page() / this.#pageBytes)
    const branch = this.page(0x01)
    const leaf = this.element(this.page(0x02))
    const value = leaf + this.bytes.readUInt32LE(leaf + 4) + this.bytes.readUInt32LE(leaf + 8)
    const isBucket = (this.bytes.readUInt32LE(leaf) & 1) === 1 && value + 8 <= this.bytes.length
    if (isBucket && this.below(2) === 0) this.bytes.writeBigUInt64LE(target, value)
    else this.bytes.writeBigUInt64LE(target, this.element(branch) + 8)
  }

  header(at: number, large: readonly number[] = LARGE): void {
    const value = this.oneOf(large)
    if (at === 10) this.bytes.writeUInt16LE(value & 0xffff, this.page(this.oneOf([1, 2])) + 10)
    else this.bytes.writeUInt32LE(value, this.page(this.oneOf([1, 2, 16])) + 12)
  }

  sizes(): void {
    const page = this.page(this.oneOf([1, 2]))
    this.bytes.writeUInt32LE(this.oneOf(LARGE), this.element(page) + this.oneOf([0, 4, 8, 12]))
  }

  freeList(): void {
    const list = this.page(0x10)
    if (this.below(2) === 0) this.bytes.writeUInt16LE(0xffff, list + 10)
    this.bytes.writeBigUInt64LE(this.oneOf(LARGE_PAGES), list + HEADER + 8 * this.below(3))
  }

  /** Meta pages that are right by their checksum and wrong in all else. */
  metas(): void {
    for (const meta of [this.bytes.subarray(0), this.bytes.subarray(this.#pageBytes)]) {
      meta.writeBigUInt64LE(this.oneOf(LARGE_PAGES), this.oneOf([32, 40, 48, 56, 64]))
      if (this.below(4) > 0) sealMeta(meta)
    }
  }

  /** A bucket that claims to be inline, or an inline one whose page makes no sense. */
  inline(): void {
    for (let tries = 0; tries < 100; tries += 1) {
      const leaf = this.element(this.page(0x02))
      const value = leaf + this.bytes.readUInt32LE(leaf + 4) + this.bytes.readUInt32LE(leaf + 8)
      const isBucket = (this.bytes.readUInt32LE(leaf) & 1) === 1 && value + 48 <= this.bytes.length
      if (!isBucket) continue
      if (this.below(3) === 0) this.bytes.writeBigUInt64LE(0n, value)
      else this.bytes.writeUInt32LE(this.oneOf(LARGE), value + 16 + this.oneOf([8, 10, 12, 16, 20, 24, 28]))
      return
    }
    // A value that is said to be a bucket.
    this.bytes.writeUInt32LE(1, this.element(this.page(0x02)))
  }
}

const KINDS: Readonly<Record<string, (damager: Damager) => void>> = {
  'one flip': (damager) => damager.flip(1),
  '20 flips': (damager) => damager.flip(20),
  'a cut': (damager) => damager.cut(),
  'a zeroed page': (damager) => damager.zero(),
  'swapped pages': (damager) => damager.swap(),
  'a wrong reference': (damager) => damager.refer(),
  'a wrong count': (damager) => damager.header(10),
  'a wrong overflow': (damager) => damager.header(12),
  'wrong sizes': (damager) => damager.sizes(),
  'a wrong list of free pages': (damager) => damager.freeList(),
  'both meta pages': (damager) => damager.metas(),
  'an inline bucket': (damager) => damager.inline(),
  'all of it': (damager) => {
    damager.flip(3)
    damager.refer()
    damager.sizes()
    damager.swap()
  },
}

/** A file that was damaged, and how. */
export interface DamagedBolt {
  readonly kind: string
  readonly seed: number
  readonly bytes: Buffer
}

/** Damages a file so many times, in each way by turns; the same for the same seed. */
export function* damagedBolts(
  sound: Buffer,
  pageBytes: number,
  { seed, count }: { readonly seed: number; readonly count: number },
): Generator<DamagedBolt, void, undefined> {
  const kinds = Object.entries(KINDS)
  for (let file = 0; file < count; file += 1) {
    const [kind, damage] = kinds[file % kinds.length] ?? ['nothing', () => {}]
    const damager = new Damager(sound, pageBytes, seed + file)
    damage(damager)
    yield { kind, seed: seed + file, bytes: damager.bytes }
  }
}

/** A file with a tree of some depth, nested buckets of all kinds, a value over several pages, and free pages. */
export function rowsToDamage(): BucketToWrite['rows'] {
  return {
    many: { rows: numbered(120) },
    nested: { rows: { inline: { rows: { a: 'b' } }, tree: { rows: numbered(40) }, none: { rows: {} } } },
    long: { rows: { one: 'x'.repeat(2_000), two: 'y' } },
  }
}

function numbered(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`key-${1000 + index}`, `value ${index}`]),
  )
}
