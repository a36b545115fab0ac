import { hash } from 'node:crypto'

const NUMBER_BYTES = 6

/**
 * Makes numbers from 0 up to, not including, 1: the same for the same seed, and seeds beside each other have nothing
 * in common.
 */
export function randomNumbers(seed: number): () => number {
  let block = Buffer.alloc(0)
  let [blocks, at] = [0, 0]
  return () => {
    if (at + NUMBER_BYTES > block.length) {
      block = hash('sha256', `${seed}:${blocks}`, 'buffer')
      blocks += 1
      at = 0
    }
    at += NUMBER_BYTES
    return block.readUIntBE(at - NUMBER_BYTES, NUMBER_BYTES) / 2 ** (8 * NUMBER_BYTES)
  }
}

/** Makes whole numbers from 0 up to, not including, the end that is asked for, in the same way. */
export function randomBelow(seed: number): (end: number) => number {
  const next = randomNumbers(seed)
  return (end) => Math.floor(next() * end)
}
