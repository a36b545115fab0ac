import { setTimeout as delay } from 'node:timers/promises'
import { bytesText } from '@saltcod/display'
import type { ApiClient } from '../../client/api-client.ts'
import type { CompactionReport, CompactionStatus } from '../../compaction/compaction-report.ts'
import { EXIT } from '../../exit-code.ts'
import { Failure } from '../../failure.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { Interrupt } from '../interrupt.ts'
import { printValue } from '../output.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `compact`. */
export interface CompactOptions extends NodeFlags {
  readonly output: string
  /** Stops a compaction that is going on, instead of beginning one. */
  readonly stop?: boolean
}

const LOOK_EVERY_MS = 200
/** A compaction that is over by then shows no progress. */
const QUIET_MS = 1_000

/** Rewrites the stores of a node and waits for the end. Ctrl-C ends the waiting alone: the node goes on. */
export async function compact(terminal: Terminal, options: CompactOptions): Promise<void> {
  const client = clientFor(terminal, options)
  if (options.stop === true) {
    const { running } = await client.stopCompaction()
    terminal.out(
      running ? 'The node stops the compaction; the store stays as it is.\n' : 'None was going on.\n',
    )
    return
  }
  const interrupt = new Interrupt()
  try {
    const { report, error } = await waitForEnd(terminal, client, await client.compact(), interrupt.signal)
    if (error !== null) throw new Failure(EXIT.failed, error.message, { hint: error.hint ?? undefined })
    if (report === null) {
      throw new Failure(
        EXIT.failed,
        'the compaction is over, and the node has begun another or was started anew',
        {
          hint: 'its log tells what became of it',
        },
      )
    }
    if (options.output === 'json' || options.output === 'yaml') printValue(terminal, options.output, report)
    else terminal.out(textOf(report))
  } finally {
    interrupt.close()
  }
}

async function waitForEnd(
  terminal: Terminal,
  client: ApiClient,
  begun: CompactionStatus,
  signal: AbortSignal,
): Promise<CompactionStatus> {
  const quietUntilMs = performance.now() + QUIET_MS
  let shown = false
  let status = begun
  try {
    while (status.running && status.run === begun.run) {
      await delay(LOOK_EVERY_MS, undefined, { signal })
      status = await client.compactionStatus()
      if (!terminal.errorIsTerminal || performance.now() < quietUntilMs) continue
      terminal.err(`\r\u001b[K${progressOf(status)}`)
      shown = true
    }
  } catch (error) {
    if (!signal.aborted) throw error
    throw new Failure(EXIT.interrupted, 'no longer waiting: the node goes on with the compaction', {
      hint: 'saltcod compact waits for it again, saltcod compact --stop stops it',
      cause: error,
    })
  } finally {
    if (shown) terminal.err('\r\u001b[K')
  }
  return status
}

function progressOf({ progress }: CompactionStatus): string {
  if (progress === null) return 'compacting'
  const { store, copiedRows, totalRows } = progress
  const share = totalRows === 0 ? 1 : Math.min(1, copiedRows / totalRows)
  const filled = Math.round(share * 30)
  const bar = `${'#'.repeat(filled)}${'-'.repeat(30 - filled)}`
  return `${store} [${bar}] ${Math.floor(share * 100)} % of ${totalRows} rows`
}

function textOf({ bytesBefore, bytesAfter, pauseMs, durationMs, stores }: CompactionReport): string {
  const line = (name: string, report: Omit<CompactionReport, 'stores'>): string =>
    `${name}: ${bytesText(report.bytesBefore)} before, ${bytesText(report.bytesAfter)} after; writers waited at most ${Math.round(report.pauseMs)} ms, it took ${(report.durationMs / 1000).toFixed(1)} s.\n`
  const each = stores.map((store) =>
    store.skipped === null ? line(store.store, store) : `${store.store}: left alone (${store.skipped}).\n`,
  )
  const done = stores.filter(({ skipped }) => skipped === null).length
  return done > 1
    ? `${each.join('')}${line('all', { bytesBefore, bytesAfter, pauseMs, durationMs })}`
    : each.join('')
}
