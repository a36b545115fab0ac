import type { ReadStream } from 'node:tty'

const ENTER: ReadonlySet<number> = new Set([10, 13])
const ERASE: ReadonlySet<number> = new Set([8, 127])
const [CTRL_C, CTRL_D, CTRL_U] = [3, 4, 21]

/** How typing ended. */
export type Typed = { readonly text: string } | 'given up' | 'interrupted'

/**
 * Reads a line that a person types and nobody sees. The keys come as they are meanwhile, so that Ctrl-C is no signal:
 * it is what is returned, once the terminal is as it was.
 */
export async function typedSecret(keys: ReadStream, ask: () => void): Promise<Typed> {
  // Before the question: what is typed behind it is not seen either.
  keys.setRawMode(true)
  ask()
  try {
    return await new Promise<Typed>((resolve, reject) => {
      const bytes: number[] = []
      keys.on('data', (piece: Buffer) => {
        for (const byte of piece) {
          if (ENTER.has(byte)) resolve({ text: Buffer.from(bytes).toString() })
          else if (byte === CTRL_C) resolve('interrupted')
          else if (byte === CTRL_D) resolve('given up')
          else if (byte === CTRL_U) bytes.length = 0
          else if (ERASE.has(byte)) erase(bytes)
          else bytes.push(byte)
        }
      })
      keys.once('close', () => resolve('given up'))
      keys.once('error', reject)
    })
  } finally {
    keys.removeAllListeners('data').pause()
    keys.setRawMode(false)
  }
}

/** Takes the last character away, of which UTF-8 may have several bytes. */
function erase(bytes: number[]): void {
  let last = bytes.pop()
  while (last !== undefined && (last & 0xc0) === 0x80) last = bytes.pop()
}
