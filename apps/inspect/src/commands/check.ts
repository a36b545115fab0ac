import type { Finding, StateCount } from '@saltcod/store-core'
import type { ReadOptions } from '../cli/options.ts'
import { printValue } from '../cli/output.ts'
import { formatTable } from '../cli/table.ts'
import { paint, type Terminal } from '../cli/terminal.ts'
import { countOf } from '../cli/words.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { eachStore } from '../store/open-store.ts'

/** Options of `check`. */
export interface CheckOptions extends ReadOptions {
  readonly maxFindings: number
}

interface StoreFinding extends Finding {
  readonly store: string
}

interface StoreCount extends StateCount {
  readonly store: string
}

/** Checks every rule of every store. Resolves with `findings` where one is broken. */
export async function check(terminal: Terminal, store: string, options: CheckOptions): Promise<ExitCode> {
  const findings: StoreFinding[] = []
  const counts: StoreCount[] = []
  const examined: Record<string, number> = {}
  let truncated = false
  await eachStore(store, async (opened) => {
    const report = await opened.store.check({ maxFindings: options.maxFindings })
    findings.push(...report.findings.map((finding) => ({ store: opened.path, ...finding })))
    for (const count of await opened.store.counts()) counts.push({ store: opened.path, ...count })
    for (const [table, rows] of Object.entries(report.examined))
      examined[table] = (examined[table] ?? 0) + rows
    truncated ||= report.truncated
  })
  const value = { findings, truncated, examined, counts }
  printValue(terminal, options.output, value, () => {
    const rows = Object.values(examined).reduce((sum, count) => sum + count, 0)
    if (findings.length === 0)
      return `${paint(terminal, 'green', 'sound')}: ${countOf(rows, 'row')} looked at\n`
    const header = ['RULE', 'TABLE', 'ID', 'WHAT', 'FIX']
    const lines = findings.map(({ rule, table, id, message, fix }) => [rule, table, id, message, fix])
    const more = truncated ? 'there are more; raise --max-findings\n' : ''
    return `${formatTable(terminal, header, lines)}${countOf(findings.length, 'finding')} in ${countOf(rows, 'row')}\n${more}`
  })
  return findings.length === 0 ? EXIT.ok : EXIT.findings
}
