import { requireJson, requireList, requireObject, requireText } from '../arguments/argument-types.ts'
import { checkInteger, checkText, invalid, isShortText } from '../arguments/limits.ts'
import type { ReplaceOutbox } from '../contract/outbox.ts'
import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import type { Json } from '../kv/json.ts'
import { decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { OutboxMessage, OutboxRow } from '../model/outbox.ts'
import type { DiskNames } from './field-names.ts'
import { type DamagedRow, damagedRowAt, orUndamaged } from './quarantine.ts'
import { RecordTable } from './record-table.ts'
import { isJson, isNumber } from './row-shape.ts'

/** A message as it is kept, under its destination and sequence number. */
interface StoredMessage {
  readonly atMs: number
  readonly body: Json
}

/** The names of {@link StoredMessage} on disk. */
export const MESSAGE_NAMES: DiskNames<StoredMessage> = { atMs: 'at', body: 'body' }

/** The messages that wait, by destination and sequence. */
export const outboxTable: RecordTable<StoredMessage> = new RecordTable<StoredMessage>(
  'outbox',
  1,
  MESSAGE_NAMES,
  { atMs: isNumber, body: isJson },
)

/**
 * Adds a message, the `index`-th of its change. Throws `TypeError`, or `INVALID_ARGUMENT` where JSON does not carry
 * its body or it takes more than `maxBytes`.
 */
export function putOutboxMessage(
  rows: KvTransaction,
  sequence: number,
  nowMs: number,
  message: OutboxMessage,
  index: number,
  maxBytes: number,
): void {
  requireObject('outbox message', message)
  checkText('outbox destination', message.destination)
  requireJson(`outbox[${index}].body`, message.body)
  const key = tuple(message.destination, sequence)
  const bytes = outboxTable.put(rows, key, { atMs: nowMs, body: message.body })
  if (bytes > maxBytes) {
    throw invalid(
      `the message to ${message.destination} takes ${bytes} bytes, at most ${maxBytes} are allowed`,
      'send a reference to what is large',
    )
  }
}

/** Messages, and the damaged ones that were passed over. */
export interface OutboxWithDamage {
  readonly messages: readonly OutboxRow[]
  readonly damaged: readonly DamagedRow[]
}

/**
 * Returns the messages of a destination behind a sequence number, oldest first. A damaged one must not keep those
 * behind it from being delivered, so it is passed over.
 */
export function readOutbox(
  snapshot: KvSnapshot,
  destination: string,
  afterSequence: number,
  limit: number,
): OutboxWithDamage {
  const messages: OutboxRow[] = []
  const damaged: DamagedRow[] = []
  requireText('destination', destination)
  if (!isShortText(destination)) return { messages, damaged }
  const prefix = tuple(destination)
  let gt = tuple(prefix, afterSequence)
  for (;;) {
    const wanted = limit - messages.length
    const rows = snapshot.range('outbox', { gt, lt: endOfTuple(prefix), limit: wanted })
    for (const { key, value } of rows) {
      try {
        const { atMs, body } = outboxTable.decode(key, value)
        messages.push({ destination, sequence: Number(decodeTuple(key)[1]), atMs, body })
      } catch (error) {
        const row = damagedRowAt(error, 'outbox', key)
        if (row === null) throw error
        damaged.push(row)
      }
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < wanted || messages.length >= limit) return { messages, damaged }
    gt = last.key
  }
}

/** Returns every destination that has messages, by stepping from one to the next. */
export function readDestinations(snapshot: KvSnapshot): string[] {
  const found: string[] = []
  let [key] = snapshot.keys('outbox', { limit: 1 })
  while (key !== undefined) {
    const destination = destinationIn(key)
    if (destination !== undefined) found.push(destination)
    const from = destination === undefined ? { gt: key } : { gte: endOfTuple(tuple(destination)) }
    ;[key] = snapshot.keys('outbox', { ...from, limit: 1 })
  }
  return found
}

/** A damaged key has no destination. */
function destinationIn(key: Uint8Array): string | undefined {
  const destination = orUndamaged(() => decodeTuple(key)[0])
  return typeof destination === 'string' ? destination : undefined
}

/** Removes a destination's messages up to and with a sequence number, at most `limit`, and returns how many went. */
export function removeOutbox(
  rows: KvTransaction,
  destination: string,
  upToSequence: number,
  limit: number,
): number {
  requireText('destination', destination)
  if (!isShortText(destination)) return 0
  const prefix = tuple(destination)
  const keys = rows.keys('outbox', { gte: prefix, lte: tuple(prefix, upToSequence), limit })
  for (const key of keys) rows.remove('outbox', key)
  return keys.length
}

/** So many messages are taken out at a time. */
const MAX_TAKEN = 500

/** Removes messages of a destination by their sequence numbers, and returns how many were there. */
export function takeOutbox(rows: KvTransaction, { destination, sequences }: ReplaceOutbox): number {
  checkText('outbox destination', destination)
  requireList('sequences', sequences)
  if (sequences.length === 0 || sequences.length > MAX_TAKEN)
    throw invalid(`${sequences.length} messages are to be taken out, 1 to ${MAX_TAKEN} are at a time`)
  for (const sequence of sequences) checkInteger('sequence number', sequence, 0)
  return sequences.filter((sequence) => rows.remove('outbox', tuple(destination, sequence))).length
}
