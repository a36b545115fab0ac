import { StoreError } from '../errors.ts'
import type { TextMap } from '../model/json.ts'

/** The longest name, namespace, label, submit key, request id or destination, in bytes of UTF-8. */
export const MAX_TEXT_BYTES: number = 256

/** The most labels that a job may have. */
export const MAX_LABELS: number = 64

/** The longest message of a state or an event, in characters; longer ones are cut. */
export const MAX_MESSAGE_LENGTH: number = 2_048

const MAX_PRIORITY = 1_000_000

/** The latest time that a date can have, in milliseconds since 1970. */
const MAX_TIME_MS = 8_640_000_000_000_000

/** The largest specification unless a store is opened with another limit, in bytes of JSON. */
export const DEFAULT_MAX_SPEC_BYTES: number = 1_000_000

const LONE_SURROGATE = /\p{Surrogate}/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/

/** Checks a text that becomes part of a key. Throws `INVALID_ARGUMENT`. */
export function checkText(what: string, text: string, options: { readonly mayBeEmpty?: boolean } = {}): void {
  if (typeof text !== 'string') throw new TypeError(`the ${what} must be a text`)
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

/** Checks labels. Throws `INVALID_ARGUMENT`. */
export function checkLabels(labels: TextMap): void {
  const entries = Object.entries(labels)
  if (entries.length > MAX_LABELS) {
    throw invalid(`there are ${entries.length} labels, at most ${MAX_LABELS} are allowed`)
  }
  for (const [key, value] of entries) {
    checkText('label', key)
    checkText(`value of label ${shorten(key)}`, value, { mayBeEmpty: true })
  }
}

/** Checks a whole number in a range. Throws `INVALID_ARGUMENT`. */
export function checkInteger(what: string, value: number, low: number, high: number): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return
  throw invalid(`the ${what} is ${String(value)}, not a whole number from ${low} to ${high}`)
}

/** Checks a priority. Throws `INVALID_ARGUMENT`. */
export function checkPriority(priority: number): void {
  checkInteger('priority', priority, -MAX_PRIORITY, MAX_PRIORITY)
}

/** Checks a time, where one is given: whole milliseconds since 1970. Throws `INVALID_ARGUMENT`. */
export function checkTime(what: string, timeMs: number | null | undefined): void {
  if (timeMs != null) checkInteger(`${what} in milliseconds since 1970`, timeMs, 0, MAX_TIME_MS)
}

/** Cuts a message to its longest length. */
export function cutMessage(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message
  return `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…`
}

/** Makes the error for a value that is out of its limits. */
export function invalid(message: string, hint?: string): StoreError {
  return new StoreError('INVALID_ARGUMENT', message, hint === undefined ? {} : { hint })
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
