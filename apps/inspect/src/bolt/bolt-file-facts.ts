import { countOf, Progress, paint, printable, printValue, type Terminal } from '@saltcod/cli-kit'
import {
  type BoltFile,
  type BoltInfo,
  type BoltPage,
  type BoltReport,
  type BoltStatistics,
  boltPages,
  boltStatistics,
  checkBolt,
} from '@saltcod/store-bolt'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { isUnreadable, passOver } from '../store/unreadable-store.ts'
import { withBolt } from './bolt-argument.ts'
import { pathText } from './bolt-text.ts'

/** Prints what the meta pages of a BoltDB file say; the first line as `bbolt info` does. */
export async function boltInfo(
  terminal: Terminal,
  path: string,
  { output }: ReadOptions,
): Promise<undefined> {
  await withBolt(path, async (file) => {
    const info = file.info()
    printValue(terminal, output, { kind: 'boltdb', ...plainInfo(info) }, () => infoText(info))
  })
  return undefined
}

function plainInfo({ transaction, metaPages, ...info }: BoltInfo) {
  return {
    ...info,
    transaction: Number(transaction),
    metaPages: metaPages.map((page) => ({
      ...page,
      transaction: page.transaction === null ? null : Number(page.transaction),
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

/** Prints how the pages of a BoltDB file are used, in the words of `bbolt stats`. */
export async function boltStats(
  terminal: Terminal,
  path: string,
  { output }: ReadOptions,
): Promise<ExitCode | undefined> {
  return await withBolt(path, async (file) => {
    const statistics = await file.read(boltStatistics)
    printValue(terminal, output, statistics, () => statisticsText(statistics))
    for (const what of statistics.damage.slice(0, 10)) terminal.err(`${printable(what)}\n`)
    if (statistics.damage.length === 0) return undefined
    terminal.err(
      `${countOf(statistics.damage.length, 'part')} of the file could not be read and is not counted\n`,
    )
    return EXIT.findings
  })
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

/** What a check of one file has found. */
interface CheckedFile {
  readonly path: string
  readonly report: BoltReport
  readonly metaPages: BoltInfo['metaPages']
}

/**
 * Checks the pages of BoltDB files, and prints `OK` or what is wrong, one finding a line, as `bbolt check` does; of
 * several, each with its path. A meta page that cannot be used is told on standard error: a commit that was cut short
 * leaves one, and does no harm. Of several, one that cannot be read is complained of and passed over.
 */
export async function boltCheck(
  terminal: Terminal,
  paths: readonly string[],
  { output, maxFindings }: ReadOptions & { readonly maxFindings: number },
): Promise<ExitCode> {
  const files: CheckedFile[] = []
  let unreadable = false
  for (const path of paths) {
    try {
      files.push(
        await withBolt(path, async (file) => ({
          path,
          report: await checked(terminal, file, maxFindings),
          metaPages: file.info().metaPages,
        })),
      )
    } catch (error) {
      if (paths.length === 1 || !isUnreadable(error)) throw error
      unreadable = true
      passOver(terminal, path, error)
    }
  }
  const isOne = paths.length === 1
  const rows = files.map(({ path, report }) => ({ ...(isOne ? {} : { path }), ...plainReport(report) }))
  printValue(terminal, output, isOne ? rows[0] : { files: rows }, () =>
    files
      .map(({ path, report }) => `${isOne ? '' : `${printable(path)}: `}${reportText(terminal, report)}`)
      .join(''),
  )
  for (const { page, problem } of files.flatMap(({ metaPages }) => metaPages)) {
    if (problem !== null) terminal.err(`meta page ${page} ${problem}; the other one counts\n`)
  }
  if (unreadable) return EXIT.unreadable
  return files.every(({ report }) => report.findingCount === 0) ? EXIT.ok : EXIT.findings
}

function plainReport(report: BoltReport) {
  return {
    ...report,
    transaction: Number(report.transaction),
    findings: report.findings.map(({ page, path, what }) => ({ page, path: pathText(path), what })),
  }
}

async function checked(terminal: Terminal, file: BoltFile, maxFindings: number): Promise<BoltReport> {
  const progress = new Progress(terminal, () => performance.now())
  const onProgress = (done: number, total: number) => progress.show('pages', done, total)
  try {
    return await file.read((snapshot) => checkBolt(snapshot, { maxFindings, onProgress }))
  } finally {
    progress.end()
  }
}

function reportText(terminal: Terminal, { findings, findingCount }: BoltReport): string {
  if (findingCount === 0) return `${paint(terminal, 'green', 'OK')}\n`
  const lines = findings.map(({ page, path, what }) => {
    const where = path.length === 0 ? '' : ` (in ${pathText(path)})`
    return `page ${page}: ${printable(what)}${where}\n`
  })
  const more = findingCount > findings.length ? `; ${findings.length} are shown, raise --max-findings` : ''
  return `${lines.join('')}${countOf(findingCount, 'error')} found${more}\n`
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
      const { RowPrinter } = await import('@saltcod/cli-kit')
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
