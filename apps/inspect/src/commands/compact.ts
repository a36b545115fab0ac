import { statSync } from 'node:fs'
import { bytesText, countOf, printValue, type Terminal } from '@saltcod/cli-kit'
import { compact as compactInto } from '@saltcod/compaction'
import type { ReadOptions } from '../cli/options.ts'
import { refuseDamagedPages } from '../file/refuse-damaged-pages.ts'
import { locateStore } from '../store/locate.ts'
import { makeStore } from '../store/new-store.ts'
import { openStore } from '../store/open-store.ts'
import { requireStopped } from '../store/require-stopped.ts'

/** Writes the live rows of a stopped store in key order into a new file, without what deleted rows left behind. */
export async function compact(
  terminal: Terminal,
  source: string,
  target: string,
  options: ReadOptions,
): Promise<undefined> {
  const startMs = Date.now()
  const path = await locateStore(source)
  await requireStopped(path, 'a running node compacts its own store: saltcod compact')
  refuseDamagedPages(path)
  const opened = await openStore(path)
  let rows = 0
  let bytesAfter = 0
  try {
    bytesAfter = await makeStore(target, async (sink) => {
      rows = (await compactInto(opened.stored, sink.kv)).rows
    })
  } finally {
    await opened.kv.close()
  }
  const bytesBefore = statSync(path).size
  const value = { source: path, target, rows, bytesBefore, bytesAfter, durationMs: Date.now() - startMs }
  printValue(
    terminal,
    options.output,
    value,
    () =>
      `${countOf(rows, 'row')} copied: ${bytesText(bytesBefore)} before, ${bytesText(bytesAfter)} after\n`,
  )
  return undefined
}
