import { requireJson, requireObject, requireText } from '../arguments/argument-types.ts'
import {
  cutMessage,
  invalid,
  MAX_DETAILS,
  MAX_MESSAGE_LENGTH,
  MAX_TEXT_BYTES,
  MAX_TOPIC_LENGTH,
  shorten,
} from '../arguments/limits.ts'
import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import type { TextMap } from '../kv/json.ts'
import { decodeTuple, idTuple, tuple } from '../kv/tuple.ts'
import type { EventInput, HistoryEntry, HistoryEvent } from '../model/history.ts'
import type { DiskNames } from './field-names.ts'
import type { Mutation } from './mutation.ts'
import { RecordTable } from './record-table.ts'
import { isKeyText, isNumber, isSet, isText, isTextMap, optional, type RowShape } from './row-shape.ts'

/** One line of history; an entry of an execution has its id and node. A field that is `undefined` is not written. */
interface HistoryRow {
  readonly atMs: number
  readonly jobVersion: number
  readonly executionId?: string | undefined
  readonly nodeId?: string | undefined
  readonly previousState?: string | undefined
  readonly newState: string
  readonly revision: number
  readonly message?: string | undefined
  readonly topic?: string | undefined
  readonly details?: TextMap | undefined
  /** Entries before this one were lost, as a repair found, or given up, so it follows from none. */
  readonly isLoss?: true | undefined
}

/** The names of {@link HistoryRow} on disk. */
export const HISTORY_NAMES: DiskNames<HistoryRow> = {
  atMs: 'at',
  jobVersion: 'v',
  executionId: 'e',
  nodeId: 'n',
  previousState: 'p',
  newState: 's',
  revision: 'r',
  message: 'm',
  topic: 't',
  details: 'd',
  isLoss: 'x',
}

const HISTORY_SHAPE: RowShape<HistoryRow> = {
  atMs: isNumber,
  jobVersion: isNumber,
  executionId: optional(isKeyText),
  nodeId: optional(isText),
  previousState: optional(isText),
  newState: isText,
  revision: isNumber,
  message: optional(isText),
  topic: optional(isText),
  details: optional(isTextMap),
  isLoss: optional(isSet),
}

/** The history, by owner (a job; in an execution store an execution) and sequence. */
export const historyTable: RecordTable<HistoryRow> = new RecordTable<HistoryRow>(
  'history',
  1,
  HISTORY_NAMES,
  HISTORY_SHAPE,
)

/** What a history entry is about. */
export interface HistorySubject {
  /** Key of the record under which the entry is kept. */
  readonly ownerKey: Uint8Array
  readonly jobVersion: number
  readonly executionId?: string
  readonly nodeId?: string
  readonly previousState: string | null
  readonly newState: string
  readonly revision: number
}

/** What a record's own row says of it; its history ends there. */
export interface RecordState {
  readonly state: string
  readonly revision: number
}

/**
 * Reads what a record's row says, for the record that an entry of an owner is about; `undefined` where it is not
 * there.
 */
export type ReadRecordState = (
  snapshot: KvSnapshot,
  ownerKey: Uint8Array,
  subject: string,
) => RecordState | undefined

/**
 * Adds an entry and returns its sequence number. Throws `TypeError` or `INVALID_ARGUMENT` for an event that is none.
 */
export function addHistoryEntry(mutation: Mutation, subject: HistorySubject, event: EventInput): number {
  const { message, topic, details } = boundEvent(event)
  const sequence = mutation.nextSequence()
  historyTable.put(mutation.rows, tuple(subject.ownerKey, sequence), {
    atMs: mutation.nowMs,
    jobVersion: subject.jobVersion,
    executionId: subject.executionId,
    nodeId: subject.nodeId,
    previousState: subject.previousState ?? undefined,
    newState: subject.newState,
    revision: subject.revision,
    message: message === '' ? undefined : message,
    topic: topic === '' ? undefined : topic,
    details: Object.keys(details).length === 0 ? undefined : details,
  })
  return sequence
}

/** Writes an entry as it was in another place, under a sequence number. */
export function restoreHistoryEntry(
  rows: KvTransaction,
  ownerKey: Uint8Array,
  sequence: number,
  { jobVersion, executionId, nodeId, previousState, newState, revision, event, atMs, afterGap }: HistoryEntry,
): void {
  historyTable.put(rows, tuple(ownerKey, sequence), {
    atMs,
    jobVersion,
    executionId: executionId ?? undefined,
    nodeId: nodeId ?? undefined,
    previousState: previousState ?? undefined,
    newState,
    revision,
    message: event.message === '' ? undefined : event.message,
    topic: event.topic === '' ? undefined : event.topic,
    details: Object.keys(event.details).length === 0 ? undefined : event.details,
    isLoss: afterGap === true || isLoss(event) ? true : undefined,
  })
}

/** What a repair writes into a history that lost entries. */
const LOSS: HistoryEvent = { message: 'Entries before this one were lost', topic: 'Repair', details: {} }

/** The detail of the entry that stands for executions that were given up: how many they were. */
const GIVEN_UP = 'GivenUp'

/** Tells whether an entry is one before which others are missing: those that a repair lost, or that were given up. */
export function isLoss(event: HistoryEvent): boolean {
  return (event.topic === LOSS.topic && event.message === LOSS.message) || givenUpBefore(event) > 0
}

/** Returns how many executions were given up by an entry that stands for them; 0 for any other entry. */
export function givenUpBefore({ topic, details }: HistoryEvent): number {
  const count = topic === 'Retention' ? Number(details[GIVEN_UP]) : 0
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}

/** Writes the entry that stands for executions that were given up, and for what was said of their job until then. */
export function putGivenUpEntry(
  rows: KvTransaction,
  key: Uint8Array,
  count: number,
  entry: Omit<HistoryEntry, 'event' | 'sequence'>,
): void {
  const { jobVersion, previousState, newState, revision, atMs } = entry
  const were = count === 1 ? '1 execution that had ended was' : `${count} executions that had ended were`
  historyTable.put(rows, key, {
    atMs,
    jobVersion,
    previousState: previousState ?? undefined,
    newState,
    revision,
    message: `${were} given up by then, with their history`,
    topic: 'Retention',
    details: { [GIVEN_UP]: String(count) },
    isLoss: true,
  })
}

/** Writes the entry that tells of lost ones, after the last that is left. */
export function putLossEntry(
  rows: KvTransaction,
  ownerKey: Uint8Array,
  sequence: number,
  last: HistoryEntry,
  now: RecordState & { readonly atMs: number },
): void {
  const isOwner = last.executionId !== null && Buffer.compare(idTuple('e', last.executionId), ownerKey) === 0
  restoreHistoryEntry(rows, ownerKey, sequence, {
    ...last,
    executionId: isOwner ? null : last.executionId,
    previousState: last.newState,
    newState: now.state,
    revision: now.revision,
    event: LOSS,
    atMs: now.atMs,
  })
}

/** The record under which an entry is kept: a job, or in an execution store an execution. */
export interface HistoryOwner {
  readonly jobId: string
  /** Set in an execution store, whose rows do not repeat it. */
  readonly executionId?: string
}

/** Restores an entry from its row. */
export function toHistoryEntry(owner: HistoryOwner, key: Uint8Array, row: HistoryRow): HistoryEntry {
  const subject = row.executionId ?? owner.executionId ?? null
  return {
    sequence: Number(decodeTuple(key).at(-1)),
    level: subject === null ? 'job' : 'execution',
    jobId: owner.jobId,
    jobVersion: row.jobVersion,
    executionId: subject,
    nodeId: row.nodeId ?? null,
    previousState: row.previousState ?? null,
    newState: row.newState,
    revision: row.revision,
    event: { message: row.message ?? '', topic: row.topic ?? '', details: row.details ?? {} },
    atMs: row.atMs,
    // Of the other entries their words say it.
    ...(row.isLoss === true &&
    !isLoss({ message: row.message ?? '', topic: row.topic ?? '', details: row.details ?? {} })
      ? { afterGap: true }
      : {}),
  }
}

/** Reads one entry back. */
export function readHistoryEntry(
  snapshot: KvSnapshot,
  owner: HistoryOwner,
  ownerKey: Uint8Array,
  sequence: number,
): HistoryEntry {
  const key = tuple(ownerKey, sequence)
  const row = historyTable.get(snapshot, key)
  if (row === undefined)
    throw new Error(`history entry ${sequence} of ${owner.executionId ?? owner.jobId} is not there`)
  return toHistoryEntry(owner, key, row)
}

/** Checks what a caller says of its change, and cuts what is too long. Throws `TypeError` or `INVALID_ARGUMENT`. */
function boundEvent(event: EventInput): { message: string; topic: string; details: TextMap } {
  requireObject('event', event)
  const { message = '', topic = '', details = {} } = event
  return {
    message: cutMessage(message),
    topic: cutMessage(topic, 'topic', MAX_TOPIC_LENGTH),
    details: boundDetails(details),
  }
}

function boundDetails(details: TextMap): TextMap {
  requireJson('event.details', details)
  requireObject('details of an event', details)
  const entries = Object.entries(details)
  if (entries.length > MAX_DETAILS) {
    throw invalid(`an event has ${entries.length} details, at most ${MAX_DETAILS} are allowed`)
  }
  let isLong = false
  for (const [key, value] of entries) {
    requireText(`detail ${shorten(key)}`, value)
    if (key.length > MAX_TEXT_BYTES) {
      throw invalid(`the name of detail ${shorten(key)} is longer than ${MAX_TEXT_BYTES} characters`)
    }
    isLong ||= value.length > MAX_MESSAGE_LENGTH
  }
  if (!isLong) return details
  return Object.fromEntries(entries.map(([key, value]) => [key, cutMessage(value)]))
}
