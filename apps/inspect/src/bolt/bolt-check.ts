import { countOf, Progress, paint, printable, printValue, type Terminal } from '@saltcod/cli-kit'
import { type BoltFile, type BoltInfo, type BoltReport, checkBolt } from '@saltcod/store-bolt'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { exactNumber, pathText } from './bolt-text.ts'
import { eachBoltFile } from './each-bolt-file.ts'

/** What a check of one file has found. */
interface CheckedFile {
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
  const { found, unreadable } = await eachBoltFile(
    terminal,
    paths,
    async (file): Promise<CheckedFile> => ({
      report: await checked(terminal, file, maxFindings),
      metaPages: file.info().metaPages,
    }),
  )
  const isOne = paths.length === 1
  const rows = found.map(({ path, value }) => ({ ...(isOne ? {} : { path }), ...plainReport(value.report) }))
  printValue(terminal, output, isOne ? rows[0] : { files: rows }, () =>
    found
      .map(({ path, value }) => `${isOne ? '' : `${printable(path)}: `}${reportText(terminal, value.report)}`)
      .join(''),
  )
  for (const { page, problem } of found.flatMap(({ value }) => value.metaPages)) {
    if (problem !== null) terminal.err(`meta page ${page} ${problem}; the other one counts\n`)
  }
  if (unreadable) return EXIT.unreadable
  return found.every(({ value }) => value.report.findingCount === 0) ? EXIT.ok : EXIT.findings
}

function plainReport(report: BoltReport) {
  return {
    ...report,
    transaction: exactNumber(report.transaction),
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
