import { randomBytes } from 'node:crypto'
import { requireText } from '../arguments/argument-types.ts'
import { StoreError } from '../errors.ts'
import { formatUuid } from '../kv/tuple.ts'

/** The letter that begins an id that we make: job, execution, evaluation. */
export type IdPrefix = 'j' | 'e' | 'v'

/** The longest id that a store takes, in characters. */
export const MAX_ID_LENGTH: number = 128

const POOL_IDS = 512
const RANDOM_BYTES = 12
let pool = Buffer.alloc(0)
let poolOffset = 0
let counter = randomBytes(4).readUInt32BE(0)

/**
 * Makes an id: prefix, hyphen, and a UUIDv8 (RFC 9562) whose first 32 bits count up from a random start in
 * each process while the rest is random. Ids made in a row lie side by side in the store, which keeps inserts local,
 * and their first eight digits, the short id, collide no more often than random ones. They never tell time.
 */
export function newId(prefix: IdPrefix): string {
  if (poolOffset >= pool.length) {
    pool = randomBytes(POOL_IDS * RANDOM_BYTES)
    poolOffset = 0
  }
  const bytes = Buffer.allocUnsafe(16)
  counter = (counter + 1) >>> 0
  bytes.writeUInt32BE(counter, 0)
  pool.copy(bytes, 4, poolOffset, poolOffset + RANDOM_BYTES)
  poolOffset += RANDOM_BYTES
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return `${prefix}-${formatUuid(bytes)}`
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** Checks an id that a caller chose. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkId(what: string, id: string): void {
  requireText(`${what} id`, id)
  if (id.length > 0 && id.length <= MAX_ID_LENGTH && ID.test(id) && !id.includes('..')) return
  throw new StoreError(
    'INVALID_ARGUMENT',
    `the ${what} id ${JSON.stringify(id.slice(0, 140))} is not 1 to ${MAX_ID_LENGTH} letters, digits, '.', '_' or '-'`,
    { hint: 'leave it out and one is made' },
  )
}

const SHORT_ID = /^[jev]-[0-9a-f]{4,}[0-9a-f-]*$/

/**
 * Returns the two bounds of the UUID bytes that a short id begins (prefix, hyphen, at least four hexadecimal digits);
 * `null` where the text is no short id.
 */
export function shortIdBounds(prefix: IdPrefix, text: string): { low: Uint8Array; high: Uint8Array } | null {
  if (!text.startsWith(`${prefix}-`) || !SHORT_ID.test(text) || text.length > 38) return null
  const digits = text.slice(2).replaceAll('-', '')
  if (digits.length > 32) return null
  return {
    low: Buffer.from(`30${digits.padEnd(32, '0')}`, 'hex'),
    high: Buffer.from(`30${digits.padEnd(32, 'f')}`, 'hex'),
  }
}
