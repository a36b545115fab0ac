import type { StateCount } from '@saltcod/store-core'

const LONG_ID = /^([a-z]-[0-9a-f]{8})-[0-9a-f-]{27}$/
const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]

/** Shortens an id to what is enough to name it, unless it is wanted whole. */
export function shortId(id: string, wide = false): string {
  return wide ? id : (LONG_ID.exec(id)?.[1] ?? id)
}

/** Writes milliseconds since 1970 as RFC 3339 text in UTC; `null` stays, and so does what is no time. */
export function rfcTime(timeMs: number | null): string | null {
  if (timeMs === null || !Number.isFinite(timeMs) || Math.abs(timeMs) > 8.64e15) return null
  return new Date(timeMs).toISOString()
}

/** Writes milliseconds since 1970 as local date and time. */
export function localTime(timeMs: number): string {
  const date = new Date(timeMs)
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** Writes a span of time with its two largest units: `3d4h`, `12m5s`, `0s`. */
export function span(durationMs: number): string {
  let restMs = Math.max(0, durationMs)
  const parts: string[] = []
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(restMs / unitMs)
    restMs -= count * unitMs
    if (count > 0) parts.push(`${count}${unit}`)
    else if (parts.length > 0) break
    if (parts.length === 2) break
  }
  return parts.length === 0 ? '0s' : parts.join('')
}

/** Writes bytes in a unit that people read: `512 B`, `1.4 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes
  for (const unit of ['B', 'kB', 'MB', 'GB', 'TB']) {
    if (Math.abs(value) < 1_000 || unit === 'TB') {
      return `${unit === 'B' || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`
    }
    value /= 1_000
  }
  return `${bytes} B`
}

/** Writes a count with its noun: `1 job`, `3 jobs`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Puts the lines of a text into one, without the dots that begin them. */
export function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/^\s*[•*-]\s+/, '').trim())
    .filter((line) => line !== '')
    .join(' | ')
}

/** Control characters, and those that turn the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Escapes what could command a terminal, so that it is seen instead. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, escaped)
}

/** The same for text of several lines that was laid out by the program itself. */
export function printableLines(text: string): string {
  return text.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escaped(character)))
}

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Writes how many records a counter counts; `?` where it is damaged. */
export function recordsText({ records, damaged }: Pick<StateCount, 'records' | 'damaged'>): string {
  return damaged === true ? '?' : String(records)
}

/** Writes how many bytes a counter counts; `?` where it is damaged. */
export function sizeText({ bytes, damaged }: Pick<StateCount, 'bytes' | 'damaged'>): string {
  return damaged === true ? '?' : bytesText(bytes)
}
