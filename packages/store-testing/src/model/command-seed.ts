/** A command as numbers: its kind, and what its arguments are drawn from. Any numbers from 0 are a command. */
export type CommandSeed = readonly [kind: number, a: number, b: number, c: number]

/** Draws arguments from the numbers of a command; drawing twice with the same salt gives the same. */
export class Draw {
  readonly #seed: CommandSeed

  constructor(seed: CommandSeed) {
    this.#seed = seed
  }

  /** Returns a whole number from 0 up to, not including, a bound. */
  below(bound: number, salt: number): number {
    const [kind, a, b, c] = this.#seed
    let mixed = (kind + Math.imul(a, 0x9e3779b1) + Math.imul(b, 0x85ebca6b) + Math.imul(c, 0xc2b2ae35)) >>> 0
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ Math.imul(salt + 1, 0x27d4eb2f), 0x2c1b3c6d) >>> 0
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) >>> 0
    return ((mixed ^ (mixed >>> 15)) >>> 0) % bound
  }

  /** Returns one of several things. */
  pick<T>(things: readonly T[], salt: number): T {
    return things[this.below(things.length, salt)] as T
  }

  /** Is true once in so many draws. */
  once(inSoMany: number, salt: number): boolean {
    return this.below(inSoMany, salt) === 0
  }
}
