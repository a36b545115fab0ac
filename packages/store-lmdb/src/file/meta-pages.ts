import type { DataFile } from './data-file.ts'
import { META_BYTES, type MetaPage, parseMeta } from './meta-page.ts'

/** What the newest meta page that can be read says of a file. */
export interface FileMeta extends MetaPage {
  /** The other one; `null` where it cannot be read. */
  readonly older: MetaPage | null
  /** What is wrong with either meta page. */
  readonly problems: readonly string[]
}

/** Reads both meta pages and returns the newer one that can be read; a text that says why none can. */
export function readMeta(file: DataFile): FileMeta | string {
  const first = parseMeta(file.read(0, META_BYTES))
  const sizes = typeof first === 'string' ? [4_096, 8_192, 16_384, 32_768, 65_536] : [first.pageBytes]
  let second: MetaPage | string = 'page 1 is no meta page'
  for (const size of sizes) {
    second = parseMeta(file.read(size, META_BYTES))
    if (typeof second !== 'string' && second.pageBytes === size) break
  }
  const problems: string[] = []
  if (typeof first === 'string') problems.push(`meta page 0: ${first}`)
  if (typeof second === 'string') problems.push(`meta page 1: ${second}`)
  if (typeof first !== 'string' && typeof second !== 'string') problems.push(...compare(first, second))
  const usable = [first, second].filter((page): page is MetaPage => typeof page !== 'string')
  usable.sort((a, b) => (a.transaction < b.transaction ? 1 : -1))
  const [newest, older = null] = usable
  return newest === undefined ? problems.join('; ') : { ...newest, older, problems }
}

/** LMDB writes the two in turns: even transactions to page 0, odd ones to page 1. New files and copies have 0 in one. */
function compare(first: MetaPage, second: MetaPage): string[] {
  const [even, odd] = [first.transaction, second.transaction]
  const problems: string[] = []
  const isNew = even === 0n || odd === 0n
  if (!isNew && (even % 2n !== 0n || (even - odd) ** 2n !== 1n)) {
    problems.push(`the meta pages are of the transactions ${even} and ${odd}, which cannot follow each other`)
  }
  if (first.pageBytes !== second.pageBytes) {
    problems.push(`the meta pages name page sizes of ${first.pageBytes} and ${second.pageBytes} bytes`)
  }
  return problems
}
