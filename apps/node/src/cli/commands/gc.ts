import { bytesText, countOf, Failure, type Format, printValue, type Terminal } from '@saltcod/cli-kit'
import type { ApiClient } from '../../client/api-client.ts'
import { EXIT } from '../../exit-code.ts'
import type { GcReport } from '../../retention/gc-report.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { type NodeWait, type NodeWaitOptions, type WaitedFor, waiting } from '../node-wait.ts'

/** Options of `gc`. */
export interface GcOptions extends NodeFlags, NodeWaitOptions {
  readonly dryRun?: boolean
  /** In milliseconds. */
  readonly maxAge?: number
  readonly maxCount?: number
  readonly namespace?: string
  readonly confirmClock?: boolean
  readonly output: Format
}

const GC: WaitedFor = {
  isMet: false,
  onReturn: 'the rest is removed when it is back',
  goesOn: 'the node ends what it has begun to remove',
  afterInterrupt: 'saltcod gc goes on with the rest',
  afterLoss: 'run it again when the node is started',
}

const NO_RULES =
  'No rule of Retention applies, so everything is kept: set one in the config file of the node, or give --max-age or --max-count.'

/**
 * Removes old jobs of a node, or says which would go. Fails where a record could not be removed, or the clock is not
 * trusted.
 */
export async function gc(terminal: Terminal, options: GcOptions): Promise<void> {
  const client = clientFor(terminal, options)
  const report = await waiting(terminal, GC, options, (wait) => runToTheEnd(terminal, client, options, wait))
  printValue(terminal, options.output, report, () => summaryOf(report))
  if (report.suspended !== null) {
    const { now, lastChange } = report.suspended
    throw new Failure(
      EXIT.failed,
      `nothing was removed: the clock of the node says ${now}, the newest change in its store was made ${lastChange}`,
      { hint: 'if the clock is right, run it again with --confirm-clock' },
    )
  }
  if (report.failedJobs > 0) {
    const reasons = report.failures.map(({ id, message }) => `${id}: ${message}`)
    const failed = countOf(report.failedJobs, report.unasked === true ? 'execution' : 'job')
    throw new Failure(EXIT.failed, [`${failed} could not be removed`, ...reasons], {
      hint: 'the log of the node may say more',
    })
  }
}

/** A node answers after some seconds even where there is more to do, so that no connection waits for long. */
async function runToTheEnd(
  terminal: Terminal,
  client: ApiClient,
  options: GcOptions,
  wait: NodeWait,
): Promise<GcReport> {
  const { dryRun, maxAge: maxAgeMs, maxCount, namespace, confirmClock } = options
  let sum: GcReport | null = null
  for (;;) {
    const { losses } = wait
    const step = await wait.call(() => client.gc({ dryRun, maxAgeMs, maxCount, namespace, confirmClock }))
    if (wait.losses > losses && dryRun !== true) {
      terminal.err('Note: what the node removed before it was lost is not counted\n')
    }
    sum = sum === null ? step : add(sum, step)
    if (step.complete || step.dryRun || step.suspended !== null || step.removedJobs === 0) return sum
    terminal.err(`${sum.removedJobs} jobs are gone, going on\n`)
  }
}

function add(sum: GcReport, step: GcReport): GcReport {
  return {
    ...step,
    removedJobs: sum.removedJobs + step.removedJobs,
    removedBytes: sum.removedBytes + step.removedBytes,
    archivedJobs: sum.archivedJobs + step.archivedJobs,
    removedExecutions: sum.removedExecutions + step.removedExecutions,
  }
}

function summaryOf(report: GcReport): string {
  if (report.unasked === true) {
    const executions = countOf(report.removedExecutions, 'execution')
    return `${report.dryRun ? 'Would remove' : 'Removed'} ${executions} that the requester does not know any more.\n`
  }
  const jobs = countOf(report.removedJobs, 'job')
  const bytes = `${bytesText(report.removedBytes)} of records`
  const stays = [
    [report.heldJobs, 'held'],
    [report.unfinishedJobs, 'with executions that have not ended'],
    [report.changedJobs, 'changed meanwhile'],
  ] as const
  return [
    report.dryRun ? `Would remove ${jobs}, ${bytes}.` : `Removed ${jobs}, ${bytes}.`,
    ...(report.rules === 0 ? [NO_RULES] : []),
    ...(report.archivedJobs > 0 ? ['They are in the archive.'] : []),
    ...stays.filter(([count]) => count > 0).map(([count, why]) => `Left alone: ${count} ${why}.`),
    ...(report.overdueSeconds > 0
      ? [`The oldest that should be gone has been overdue for ${report.overdueSeconds} s.`]
      : []),
    ...(report.complete || report.suspended !== null ? [] : ['There is more to do: run it again.']),
    '',
  ].join('\n')
}
