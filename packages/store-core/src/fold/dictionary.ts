import { WORDS_1 } from './words-1.ts'

const words = Buffer.from(WORDS_1, 'utf8')

/**
 * What a compressor has seen before the first byte of a folded record of version 1, so that even a short one is made
 * small: words that most records have, and behind them the ids that the record's own keys tell, since its texts
 * repeat them. Better words need another version beside it.
 */
export function dictionaryOf(ids: readonly string[]): Uint8Array {
  return Buffer.concat([words, Buffer.from(ids.join(''), 'utf8')])
}
