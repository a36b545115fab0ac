import { createHash, timingSafeEqual } from 'node:crypto'

/** Returns what is kept of a secret: its secrets are 32 random bytes, so that nobody finds one again from this. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

const NOBODYS_HASH = hashOf('')

/**
 * Tells whether a secret has a hash, in a time that does not tell how much of it is right, nor that there is no hash
 * (`null`), which no secret has.
 */
export function hasHash(secret: string, hash: string | null): boolean {
  const given = Buffer.from(hashOf(secret))
  const right = Buffer.from(hash ?? NOBODYS_HASH)
  return given.length === right.length && timingSafeEqual(given, right)
}
