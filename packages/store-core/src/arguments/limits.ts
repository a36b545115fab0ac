import { StoreError } from '../errors.ts'
import type { TextMap } from '../kv/json.ts'
import { requireJson, requireList, requireObject, requireText, wrongType } from './argument-types.ts'

/** The longest name, namespace, label, submit key, request id or destination, in bytes of UTF-8. */
export const MAX_TEXT_BYTES: number = 256

/** The most labels that a job may have. */
export const MAX_LABELS: number = 64

/** The longest message of a state or an event, comment, or value of a detail, in characters; longer ones are cut. */
export const MAX_MESSAGE_LENGTH: number = 2_048

/** The longest topic of an event, in characters; longer ones are cut. */
export const MAX_TOPIC_LENGTH: number = 256

/** The most details that an event may have. */
export const MAX_DETAILS: number = 64

/** What a message of the outbox may take beyond the largest specification, in bytes of JSON. */
export const OUTBOX_EXTRA_BYTES: number = 65_536

const MAX_PRIORITY = 1_000_000

const MAX_PARTITION = 1_000_000

/** The largest record of an execution, in bytes of JSON. */
const MAX_RECORD_BYTES = 1_000_000

/** The latest time that a date can have, in milliseconds since 1970. */
const MAX_TIME_MS = 8_640_000_000_000_000

/** The largest specification unless a store is opened with another limit, in bytes of JSON. */
export const DEFAULT_MAX_SPEC_BYTES: number = 1_000_000

const LONE_SURROGATE = /\p{Surrogate}/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/

/** Checks a text that becomes part of a key. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkText(what: string, text: string, options: { readonly mayBeEmpty?: boolean } = {}): void {
  requireText(what, text)
  let problem: string | null = null
  if (text.trim() === '' && options.mayBeEmpty !== true) problem = 'is empty'
  else if (text.length * 3 > MAX_TEXT_BYTES && Buffer.byteLength(text) > MAX_TEXT_BYTES)
    problem = `is longer than ${MAX_TEXT_BYTES} bytes`
  else if (CONTROL.test(text)) problem = 'has control characters'
  else if (LONE_SURROGATE.test(text)) problem = 'is not well-formed Unicode'
  if (problem !== null) throw invalid(`the ${what} ${JSON.stringify(shorten(text))} ${problem}`)
}

/** Tells whether a text is short enough to stand in a key; a longer one was never written. */
export function isShortText(text: string): boolean {
  return text.length <= MAX_TEXT_BYTES
}

/** Checks labels. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkLabels(labels: TextMap): void {
  requireJson('labels', labels)
  requireObject('labels', labels)
  const entries = Object.entries(labels)
  if (entries.length > MAX_LABELS) {
    throw invalid(`there are ${entries.length} labels, at most ${MAX_LABELS} are allowed`)
  }
  for (const [key, value] of entries) {
    checkText('label', key)
    checkText(`value of label ${shorten(key)}`, value, { mayBeEmpty: true })
  }
}

/** Checks a whole number in a range. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkInteger(
  what: string,
  value: number,
  low: number,
  high: number = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return
  if (typeof value !== 'number') throw wrongType(what, 'a number', value)
  throw invalid(`the ${what} is ${String(value)}, not a whole number from ${low} to ${high}`)
}

/** Checks a whole number in a range, where one is given. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkOptionalInteger(
  what: string,
  value: number | undefined,
  low: number,
  high?: number,
): void {
  if (value !== undefined) checkInteger(what, value, low, high)
}

/** Checks that a text is one of those that are known. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkChoice(what: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return
  requireText(what, value)
  throw invalid(`there is no ${what} ${JSON.stringify(shorten(value))}`, `give one of ${choices.join(', ')}`)
}

/**
 * Checks that a text, where one is given, is one of those that are known. Throws `TypeError` or `INVALID_ARGUMENT`.
 */
export function checkOptionalChoice(
  what: string,
  value: string | undefined,
  choices: readonly string[],
): void {
  if (value !== undefined) checkChoice(what, value, choices)
}

/** Checks a list, where one is given, of texts that are known. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkChoices(
  what: string,
  values: readonly string[] | undefined,
  choices: readonly string[],
): void {
  if (values === undefined) return
  requireList(`list of ${what}s`, values)
  for (const value of values) checkChoice(what, value, choices)
}

/** Checks a priority. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkPriority(priority: number): void {
  checkInteger('priority', priority, -MAX_PRIORITY, MAX_PRIORITY)
}

/** Checks a length of time in milliseconds, which may have a fraction. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkDuration(what: string, durationMs: number): void {
  if (typeof durationMs !== 'number') throw wrongType(what, 'a number', durationMs)
  if (durationMs >= 0 && durationMs <= MAX_TIME_MS) return
  throw invalid(`the ${what} is ${durationMs}, not a number of milliseconds from 0 to ${MAX_TIME_MS}`)
}

/** Checks which share of a job an execution does, where it is one. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkPartition(partition: number | null | undefined): void {
  if (partition != null) checkInteger('partition', partition, 0, MAX_PARTITION)
}

/** Checks a time, where one is given: whole milliseconds since 1970. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkTime(what: string, timeMs: number | null | undefined): void {
  if (timeMs != null) checkInteger(`${what} in milliseconds since 1970`, timeMs, 0, MAX_TIME_MS)
}

/** Refuses a record of an execution that takes too many bytes. Throws `INVALID_ARGUMENT`. */
export function checkRecordBytes(id: string, bytes: number): void {
  if (bytes <= MAX_RECORD_BYTES) return
  throw invalid(
    `the record of execution ${id} takes ${bytes} bytes, at most ${MAX_RECORD_BYTES} are allowed`,
    'publish what is large, and keep where it is',
  )
}

/** Cuts a message, or another free text, to its longest length. Throws `TypeError` for what is no text. */
export function cutMessage(
  message: string,
  what: string = 'message',
  longest: number = MAX_MESSAGE_LENGTH,
): string {
  requireText(what, message)
  return message.length <= longest ? message : `${message.slice(0, longest - 1)}…`
}

/** Makes the error for a value that is out of its limits. */
export function invalid(message: string, hint?: string): StoreError {
  return new StoreError('INVALID_ARGUMENT', message, hint === undefined ? {} : { hint })
}

/** Cuts a text that an error names. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
