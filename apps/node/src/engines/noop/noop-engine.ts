import { setTimeout as delay } from 'node:timers/promises'
import { formatDuration } from '@saltcod/units'
import type { EngineOutcome } from '../../compute/keeper/outcome.ts'
import { parameterLines, readParameters } from '../../spec/parameters.ts'
import { LONGEST_TIMER_MS } from '../../waiting/pause.ts'
import type { Availability, Engine, EngineRun, PreparedRun, PrepareOptions } from '../engine.ts'
import { failedStart } from '../failed-start.ts'
import { NOOP, type NoopParameters } from './parameters.ts'

function ended(
  reason: EngineOutcome['reason'],
  exitCode: number | null,
  errorMessage: string | null,
): EngineOutcome {
  const silent = { stdout: '', stdoutTruncated: false, stderr: '', stderrTruncated: false }
  return { exitCode, signal: null, ...silent, errorMessage, reason }
}

async function run(
  { DurationMs, ExitCode, FailMessage }: NoopParameters,
  timeMs: number | null,
  signal: AbortSignal,
): Promise<EngineOutcome> {
  const cancelled = ended('cancelled', null, 'it was cancelled')
  if (signal.aborted) return cancelled
  const durationMs = DurationMs ?? 0
  const tooLong = timeMs !== null && timeMs < durationMs
  const waitMs = tooLong ? timeMs : durationMs
  try {
    if (waitMs > 0) await delay(Math.min(waitMs, LONGEST_TIMER_MS), undefined, { signal })
  } catch {
    return cancelled
  }
  if (tooLong) return ended('timeout', null, `it ran longer than its limit of ${formatDuration(timeMs)}`)
  return ended('exited', ExitCode ?? 0, FailMessage ?? null)
}

/**
 * The engine of tests and benchmarks: waits `DurationMs`, then ends with `ExitCode`, or fails with
 * `FailMessage`. It has no process, so a node that ends takes it along.
 */
export class NoopEngine implements Engine {
  readonly type: string = NOOP.type
  readonly keeper = null

  available(): Promise<Availability> {
    return Promise.resolve({ ok: true })
  }

  labels(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({})
  }

  prepare(engineRun: EngineRun, options: PrepareOptions): Promise<PreparedRun> {
    const { Params } = engineRun.task.Engine
    const read = readParameters(NOOP, Params)
    if ('problems' in read) return Promise.resolve(failedStart(parameterLines(NOOP, Params).join('; ')))
    const { data } = read
    return Promise.resolve({
      process: null,
      go: () => run(data, engineRun.limits.timeMs, options.signal),
      abandon: () => Promise.resolve(),
    })
  }
}
