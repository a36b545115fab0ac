import { countOf, paint, printable, printValue, RowPrinter, type Terminal } from '@saltcod/cli-kit'
import {
  type BoltInfo,
  type BoltPage,
  type BoltStatistics,
  boltPages,
  boltStatistics,
} from '@saltcod/store-bolt'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withBolt } from './bolt-argument.ts'
import { exactNumber } from './bolt-text.ts'
import { eachBoltFile, type OfBoltFile } from './each-bolt-file.ts'

/**
 * Prints what the meta pages of BoltDB files say; the first line as `bbolt info` does. Of several, each below its
 * path; one that cannot be read is complained of and passed over.
 */
export async function boltInfo(
  terminal: Terminal,
  paths: readonly string[],
  { output }: ReadOptions,
): Promise<ExitCode | undefined> {
  const { found, unreadable } = await eachBoltFile(terminal, paths, async (file) => file.info())
  const rows = found.map(({ value }) => ({ kind: 'boltdb', ...plainInfo(value) }))
  printValue(terminal, output, paths.length === 1 ? rows[0] : { files: rows }, () =>
    textOfEach(terminal, paths, found, infoText),
  )
  return unreadable ? EXIT.unreadable : undefined
}

/** Writes of one file what there is to say, and of several each below its path. */
function textOfEach<T>(
  terminal: Terminal,
  paths: readonly string[],
  found: readonly OfBoltFile<T>[],
  textOf: (value: T) => string,
): string {
  if (paths.length === 1) return found.map(({ value }) => textOf(value)).join('')
  return found
    .map(({ path, value }) => `${paint(terminal, 'bold', printable(path))}\n${textOf(value)}`)
    .join('\n')
}

function plainInfo({ transaction, metaPages, ...info }: BoltInfo) {
  return {
    ...info,
    transaction: exactNumber(transaction),
    metaPages: metaPages.map((page) => ({
      ...page,
      transaction: page.transaction === null ? null : exactNumber(page.transaction),
    })),
  }
}

function infoText(info: BoltInfo): string {
  const lines = [
    `Page Size: ${info.pageBytes}`,
    `Transaction: ${info.transaction}`,
    `Pages: ${info.pageCount}`,
    `File Size: ${info.fileBytes}`,
    `Root: page ${info.rootPage}`,
    `Freelist: ${info.freeListPage === null ? 'none' : `page ${info.freeListPage}`}`,
    ...info.metaPages.map(
      ({ page, transaction, problem }) => `Meta Page ${page}: ${problem ?? `transaction ${transaction}`}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

/** Prints how the pages of BoltDB files are used, in the words of `bbolt stats`; of several likewise. */
export async function boltStats(
  terminal: Terminal,
  paths: readonly string[],
  { output }: ReadOptions,
): Promise<ExitCode | undefined> {
  const { found, unreadable } = await eachBoltFile(
    terminal,
    paths,
    async (file) => await file.read(boltStatistics),
  )
  const rows = found.map(({ path, value }) => (paths.length === 1 ? value : { path, ...value }))
  printValue(terminal, output, paths.length === 1 ? rows[0] : { files: rows }, () =>
    textOfEach(terminal, paths, found, statisticsText),
  )
  const damage = found.flatMap(({ value }) => value.damage)
  for (const what of damage.slice(0, 10)) terminal.err(`${printable(what)}\n`)
  const damageCount = found.reduce((sum, { value }) => sum + value.damageCount, 0)
  if (damageCount > 0)
    terminal.err(`${countOf(damageCount, 'part')} of the file could not be read and is not counted\n`)
  if (unreadable) return EXIT.unreadable
  return damageCount === 0 ? undefined : EXIT.findings
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.trunc(Math.fround(Math.fround(part * 100) / Math.fround(whole)))
}

function statisticsText(counts: BoltStatistics): string {
  return `Aggregate statistics for ${counts.rootBuckets} buckets

Page count statistics
\tNumber of logical branch pages: ${counts.branchPages}
\tNumber of physical branch overflow pages: ${counts.branchOverflowPages}
\tNumber of logical leaf pages: ${counts.leafPages}
\tNumber of physical leaf overflow pages: ${counts.leafOverflowPages}
Tree statistics
\tNumber of keys/value pairs: ${counts.keys}
\tNumber of levels in B+tree: ${counts.levels}
Page size utilization
\tBytes allocated for physical branch pages: ${counts.branchBytes}
\tBytes actually used for branch data: ${counts.branchUsedBytes} (${percent(counts.branchUsedBytes, counts.branchBytes)}%)
\tBytes allocated for physical leaf pages: ${counts.leafBytes}
\tBytes actually used for leaf data: ${counts.leafUsedBytes} (${percent(counts.leafUsedBytes, counts.leafBytes)}%)
Bucket statistics
\tTotal number of buckets: ${counts.buckets}
\tTotal number on inlined buckets: ${counts.inlineBuckets} (${percent(counts.inlineBuckets, counts.buckets)}%)
\tBytes used for inlined buckets: ${counts.inlineBytes} (${percent(counts.inlineBytes, counts.leafUsedBytes)}%)
`
}

/** Lists the pages of a BoltDB file as `bbolt pages` does. */
export async function listBoltPages(
  terminal: Terminal,
  path: string,
  { output }: ReadOptions,
): Promise<ExitCode | undefined> {
  return await withBolt(path, async (file) => {
    const pages = await file.read(boltPages)
    if (output === 'table') {
      terminal.out(
        `${pageLine('ID', 'TYPE', 'ITEMS', 'OVRFLW')}${pageLine('========', '==========', '======', '======')}`,
      )
      for (const page of pages) terminal.out(textOfPage(page))
    } else {
      const printer = new RowPrinter<BoltPage>(terminal, output, [
        { name: 'ID', value: ({ id }) => String(id) },
        { name: 'TYPE', value: ({ kind }) => kind },
        { name: 'ITEMS', value: ({ count }) => String(count) },
        { name: 'OVRFLW', value: ({ overflow }) => String(overflow) },
      ])
      for (const page of pages) printer.add(page)
      printer.end()
    }
    if (pages.freeListProblem === null) return undefined
    terminal.err(`${printable(pages.freeListProblem)}; free pages are shown by what they were\n`)
    return EXIT.findings
  })
}

function textOfPage({ id, kind, count, overflow }: BoltPage): string {
  const items = kind === 'free' || kind === 'unreadable' ? '' : String(count)
  return pageLine(String(id), kind, items, overflow === 0 ? '' : String(overflow))
}

function pageLine(id: string, kind: string, items: string, overflow: string): string {
  return `${id.padEnd(8)} ${kind.padEnd(10)} ${items.padEnd(6)} ${overflow.padEnd(6)}\n`
}
