import { rmSync } from 'node:fs'
import { countOf, Failure, printValue, shellWord, type Terminal } from '@saltcod/cli-kit'
import { compact } from '@saltcod/compaction'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { refuseDamagedPages } from '../file/refuse-damaged-pages.ts'
import { locateStore } from '../store/locate.ts'
import { RECORD_TABLES } from '../store/lost-rows.ts'
import { makeStore } from '../store/new-store.ts'
import { openStore } from '../store/open-store.ts'
import { LeftOutFile, rebuildInto } from '../store/rebuild-into.ts'
import { replaceStore } from '../store/replace-store.ts'
import { requireStopped } from '../store/require-stopped.ts'
import { checkStoreFile } from '../store/store-check.ts'

/** Options of `repair`. */
export interface RepairOptions extends ReadOptions {
  readonly inPlace?: boolean
}

/**
 * Rebuilds the indexes and counters of a stopped store from its records, into a new file; with `--in-place`
 * that takes the store's place, and the old file stays beside it.
 */
export async function repair(
  terminal: Terminal,
  source: string,
  target: string | undefined,
  options: RepairOptions,
): Promise<ExitCode> {
  if ((target === undefined) !== (options.inPlace === true)) {
    throw new Failure(EXIT.usage, 'repair needs a path for the new file, or --in-place', {
      hint: `saltcod-inspect repair ${shellWord(source)} repaired.db`,
    })
  }
  const path = await locateStore(source)
  await requireStopped(path, 'stop the node first')
  refuseDamagedPages(path)
  const made = target ?? `${path}.repaired`
  const leftOut = new LeftOutFile(`${made}.left-out.ndjson`)
  const opened = await openStore(path)
  try {
    await makeStore(made, async (sink) => {
      await compact(opened.stored, sink.kv, { tables: RECORD_TABLES })
      await rebuildInto(sink, opened.kind, leftOut)
    })
  } finally {
    leftOut.close()
    await opened.kv.close()
  }
  const { findings } = await checkStoreFile(made, 100, undefined)
  const kept = options.inPlace === true && findings.length === 0 ? replaceStore(path, made) : null
  // The check made it; the store keeps its own.
  if (kept !== null) rmSync(`${made}-lock`, { force: true })
  const value = {
    source: path,
    target: kept === null ? made : path,
    kept,
    leftOut: leftOut.count,
    leftOutFile: leftOut.count === 0 ? null : leftOut.path,
    rows: leftOut.listed,
    findings,
  }
  printValue(terminal, options.output, value, () => {
    const lost =
      leftOut.count === 0 ? '' : `${countOf(leftOut.count, 'row')} left out, kept in ${leftOut.path}\n`
    const old = kept === null ? '' : `the old file is ${kept}; remove it when all is well\n`
    const whole = leftOut.count === 0 ? 'sound' : 'not all that there was'
    const verdict = findings.length === 0 ? whole : countOf(findings.length, 'finding')
    return `${value.target}: rebuilt, ${verdict}\n${lost}${old}`
  })
  if (findings.length > 0) {
    throw new Failure(EXIT.findings, `the repaired store still has ${countOf(findings.length, 'finding')}`, {
      hint: `see them with saltcod-inspect check ${shellWord(made)}`,
    })
  }
  return leftOut.count === 0 ? EXIT.ok : EXIT.findings
}
