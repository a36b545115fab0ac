import { randomUUID } from 'node:crypto'
import type { Json } from '@saltcod/store-core'

const NUMBER = /-?\d[\d.eE+-]*/g
/** What JSON calls a number, whatever its length. */
const WHOLE_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Stands before a number that is kept as a text. No file can know it. */
const MARK = `exact-${randomUUID()}-`
const MARKED = new RegExp(`"?${MARK}([\\d.eE+-]+)"?`, 'g')

/**
 * Reads a JSON text as a value in which numbers that JavaScript would write otherwise, as the nanoseconds of Go are,
 * are marked texts with their digits, which nobody is to look into. {@link exactText} makes numbers of them again,
 * once they are written. Throws where the text is no JSON.
 */
export function parseExactJson(text: string): Json {
  let marked = ''
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at)
    const string = quote < 0 ? text.length : quote
    marked += text.slice(at, string).replace(NUMBER, markedNumber)
    at = quote < 0 ? text.length : endOfString(text, quote)
    marked += text.slice(string, at)
  }
  return JSON.parse(marked) as Json
}

/** What is no number stays as it is, and is refused as such. */
function markedNumber(number: string): string {
  return String(Number(number)) === number || !WHOLE_NUMBER.test(number) ? number : `"${MARK}${number}"`
}

/** Puts the numbers that {@link parseExactJson} kept into a value that was written as JSON, YAML or a bare text. */
export function exactText(written: string): string {
  return written.includes(MARK) ? written.replaceAll(MARKED, '$1') : written
}

/** Returns a value of {@link parseExactJson} with the digits alone for its marked texts. */
export function withoutMarks(value: Json): Json {
  return JSON.parse(JSON.stringify(value).replaceAll(MARK, '')) as Json
}

/** Behind the quote that ends the string which begins there; the end of the text where none does. */
function endOfString(text: string, begin: number): number {
  for (let quote = begin; ; ) {
    quote = text.indexOf('"', quote + 1)
    if (quote < 0) return text.length
    let slashes = 0
    while (text[quote - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return quote + 1
  }
}
