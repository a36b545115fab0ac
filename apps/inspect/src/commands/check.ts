import { countOf, formatTable, Progress, paint, printable, printValue, type Terminal } from '@saltcod/cli-kit'
import type { ReadOptions } from '../cli/options.ts'
import { crashBefore } from '../crash.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { tellGoneStores } from '../store/gone-stores.ts'
import { locateStores } from '../store/locate.ts'
import { checkStoreFile, type StoreCheck } from '../store/store-check.ts'

/** Options of `check`. */
export interface CheckOptions extends ReadOptions {
  readonly maxFindings: number
}

/** Of thousands of findings of one kind, some tell all that a person wants to know. */
const SHOWN_PER_RULE = 10

/**
 * Checks every rule of every store. Resolves with `findings` where one is broken, `unreadable` where a store cannot be
 * opened, or is gone.
 */
export async function check(terminal: Terminal, store: string, options: CheckOptions): Promise<ExitCode> {
  const checks: StoreCheck[] = []
  const crash = crashBefore(terminal.env)
  const progress = new Progress(terminal, () => performance.now())
  const gone = await tellGoneStores(terminal, store)
  for (const path of await locateStores(store)) {
    const show = (what: 'pages' | 'rows', done: number, total: number | null) =>
      progress.show(what === 'pages' ? 'pages: rows' : 'rules: rows', done, total)
    checks.push(await checkStoreFile(path, options.maxFindings, crash, show))
  }
  progress.end()
  const findings = checks.flatMap((one) =>
    [...one.findings, ...one.unused].map((finding) => ({ store: one.path, ...finding })),
  )
  const value = {
    findings,
    truncated: checks.some(({ truncated }) => truncated),
    counts: checks.flatMap(({ path, counts }) => counts.map((count) => ({ store: path, ...count }))),
    stores: checks.map(({ path, readable, pagesWalked, examined, strandedJobIds }) => ({
      path,
      readable,
      pagesWalked,
      examined,
      strandedJobIds,
    })),
  }
  printValue(terminal, options.output, value, () => checks.map((one) => textOf(terminal, one)).join('\n'))
  if (gone > 0 || checks.some(({ readable }) => !readable)) return EXIT.unreadable
  return findings.length === 0 ? EXIT.ok : EXIT.findings
}

function textOf(
  terminal: Terminal,
  { path, examined, truncated, readable, pagesWalked, strandedJobIds, ...found }: StoreCheck,
): string {
  const findings = [...found.findings, ...found.unused]
  const rows = Object.values(examined).reduce((sum, count) => sum + count, 0)
  const how = pagesWalked ? 'every page and record' : 'every record of the running store'
  const looked =
    rows === 0 && !readable ? 'no row could be looked at' : `${countOf(rows, 'row')} looked at (${how})`
  const stranded =
    strandedJobIds.length === 0
      ? ''
      : `${countOf(strandedJobIds.length, 'job')} that nothing will move (the last evaluation failed): ${strandedJobIds.map(printable).join(', ')}\n`
  if (findings.length === 0)
    return `${printable(path)}: ${paint(terminal, 'green', 'sound')}, ${looked}\n${stranded}`
  const header = ['RULE', 'TABLE', 'ID', 'WHAT', 'FIX']
  const lines: string[][] = []
  const perRule = new Map<string, number>()
  for (const { rule, table, id, message, fix } of findings) {
    const count = (perRule.get(rule) ?? 0) + 1
    perRule.set(rule, count)
    if (count <= SHOWN_PER_RULE) lines.push([rule, table, id, message, fix])
  }
  const unshown = [...perRule]
    .filter(([, count]) => count > SHOWN_PER_RULE)
    .map(([rule, count]) => `${rule}: ${count - SHOWN_PER_RULE} more; --output json lists them\n`)
  const more = truncated ? 'there are more; raise --max-findings\n' : ''
  const verdict = readable ? '' : 'it cannot be opened, so its rules could not be checked\n'
  return `${printable(path)}: ${paint(terminal, 'red', countOf(findings.length, 'finding'))}, ${looked}\n${formatTable(terminal, header, lines)}${unshown.join('')}${verdict}${more}${stranded}`
}
