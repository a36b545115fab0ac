import type { Terminal } from '@saltcod/cli-kit'
import { type BoltFile, boltPageBytes } from '@saltcod/store-bolt'

const LINE_BYTES = 16
/** What `bbolt` writes between two pages. */
const BETWEEN = '===============================================\n'

/** Prints the bytes of pages in hexadecimal digits, as `bbolt dump` does. */
export async function boltPageDump(
  terminal: Terminal,
  file: BoltFile,
  pages: readonly number[],
): Promise<undefined> {
  for (const [index, page] of pages.entries()) {
    const bytes = await file.read((snapshot) => boltPageBytes(snapshot, page))
    terminal.out(`${index === 0 ? '' : BETWEEN}${hexadecimal(bytes, page * bytes.length)}\n`)
  }
  return undefined
}

/** Lines of 16 bytes; one that is as the line before it is a star, for as long as that goes on. */
function hexadecimal(bytes: Buffer, start: number): string {
  let text = ''
  let isRepeated = false
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const line = bytes.subarray(at, at + LINE_BYTES)
    const isLast = at + LINE_BYTES >= bytes.length
    const isSame = at > 0 && !isLast && line.equals(bytes.subarray(at - LINE_BYTES, at))
    const place = (start + at).toString(16).padStart(7, '0')
    if (!isSame) text += `${place} ${line.toString('hex').replace(/.{4}(?!$)/g, '$& ')}\n`
    else if (!isRepeated) text += `${place} *\n`
    isRepeated = isSame
  }
  return text
}
