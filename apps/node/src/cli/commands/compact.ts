import { bytesText, Failure, type Format, Progress, printValue, type Terminal } from '@saltcod/cli-kit'
import type { ApiClient } from '../../client/api-client.ts'
import type { CompactionReport, CompactionStatus } from '../../compaction/compaction-report.ts'
import { EXIT } from '../../exit-code.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { type NodeWait, type NodeWaitOptions, type WaitedFor, waiting } from '../node-wait.ts'

/** Options of `compact`. */
export interface CompactOptions extends NodeFlags, NodeWaitOptions {
  readonly output: Format
  /** Stops a compaction that is going on, instead of beginning one. */
  readonly stop?: boolean
}

const COMPACTION: WaitedFor = {
  isMet: false,
  onReturn: 'the stores stay as they are, and the compaction is begun again when it is back',
  goesOn: 'the node goes on with the compaction',
  afterInterrupt: 'saltcod compact waits for it again, saltcod compact --stop stops it',
  afterLoss: 'the stores are as they were; run it again when the node is started',
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
  const { report, error } = await waiting(terminal, COMPACTION, options, (wait) =>
    runToTheEnd(terminal, client, wait),
  )
  if (error !== null) throw new Failure(EXIT.failed, error.message, { hint: error.hint ?? undefined })
  if (report === null) {
    throw new Failure(EXIT.failed, 'the compaction is over, and the node has begun another', {
      hint: 'its log tells what became of it',
    })
  }
  printValue(terminal, options.output, report, () => textOf(report))
}

/** A compaction does not outlive its node, so after a start it is begun again. */
async function runToTheEnd(terminal: Terminal, client: ApiClient, wait: NodeWait): Promise<CompactionStatus> {
  for (;;) {
    const begun = await wait.call(() => client.compact())
    const status = await waitForEnd(terminal, client, begun, wait)
    // The node counts from its start.
    if (status.run >= begun.run) return status
    terminal.err('Note: the node was started anew, and the compaction is begun again\n')
  }
}

async function waitForEnd(
  terminal: Terminal,
  client: ApiClient,
  begun: CompactionStatus,
  wait: NodeWait,
): Promise<CompactionStatus> {
  const quietUntilMs = performance.now() + QUIET_MS
  const bar = new Progress(terminal, () => performance.now())
  let status = begun
  const look = async (): Promise<CompactionStatus> => {
    try {
      return await client.compactionStatus()
    } catch (error) {
      bar.end()
      throw error
    }
  }
  try {
    while (status.running && status.run === begun.run) {
      await wait.pause(LOOK_EVERY_MS)
      status = await wait.call(look)
      const { progress } = status
      if (progress === null || performance.now() < quietUntilMs) continue
      bar.show(`${progress.store}: rows`, progress.copiedRows, progress.totalRows)
    }
  } finally {
    bar.end()
  }
  return status
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
