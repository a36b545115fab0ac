import { randomUUID } from 'node:crypto'
import type { Json } from '@saltcod/store-core'

const NUMBER = /-?\d[\d.eE+-]*/g

/**
 * Changes a JSON text as a value and writes it again. Numbers that JavaScript would round, as the nanoseconds of Go
 * are, stay digit by digit: `change` meets them as texts that it is not to look into. Throws where the text is no
 * JSON.
 */
export function changeJsonText(text: string, change: (value: Json) => Json): string {
  const mark = randomUUID()
  const numbers: string[] = []
  const keep = (number: string) =>
    String(Number(number)) === number ? number : `"${mark}${numbers.push(number) - 1}"`
  let marked = ''
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at)
    const string = quote < 0 ? text.length : quote
    marked += text.slice(at, string).replace(NUMBER, keep)
    at = quote < 0 ? text.length : endOfString(text, quote)
    marked += text.slice(string, at)
  }
  const changed = JSON.stringify(change(JSON.parse(marked) as Json))
  return changed.replaceAll(new RegExp(`"${mark}(\\d+)"`, 'g'), (_, number) => numbers[Number(number)] ?? '')
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
