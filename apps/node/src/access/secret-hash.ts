import { createHash, timingSafeEqual } from 'node:crypto'

/** Returns what is kept of a secret: its secrets are 32 random bytes, so that nobody finds one again from this. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Tells whether a secret has a hash, in a time that does not tell how much of it is right. */
export function hasHash(secret: string, hash: string): boolean {
  const given = Buffer.from(hashOf(secret))
  const right = Buffer.from(hash)
  return given.length === right.length && timingSafeEqual(given, right)
}
