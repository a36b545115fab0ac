import { setTimeout as delay } from 'node:timers/promises'
import type { EngineOutcome } from '../../compute/keeper/outcome.ts'
import { LONGEST_TIMER_MS } from '../../waiting/pause.ts'
import type { Availability, Engine, EngineRun, PreparedRun, PrepareOptions } from '../engine.ts'
import { Parameters } from '../parameters.ts'
import type { InputSource, SpecConfig, TaskSpec } from '../task.ts'

interface NoopParameters {
  readonly durationMs: number
  readonly exitCode: number
  readonly failMessage: string | undefined
  readonly problems: readonly string[]
}

function read(params: SpecConfig['Params']): NoopParameters {
  const reader = new Parameters('noop', params)
  return {
    durationMs: reader.integer('DurationMs', 0, LONGEST_TIMER_MS) ?? 0,
    exitCode: reader.integer('ExitCode', 0, 255) ?? 0,
    failMessage: reader.text('FailMessage'),
    problems: reader.problems,
  }
}

function ended(
  reason: EngineOutcome['reason'],
  exitCode: number | null,
  errorMessage: string | null,
): EngineOutcome {
  const silent = { stdout: '', stdoutTruncated: false, stderr: '', stderrTruncated: false }
  return { exitCode, signal: null, ...silent, errorMessage, reason }
}

async function run(
  parameters: NoopParameters,
  timeMs: number | null,
  signal: AbortSignal,
): Promise<EngineOutcome> {
  const cancelled = ended('cancelled', null, 'it was cancelled')
  if (signal.aborted) return cancelled
  const tooLong = timeMs !== null && timeMs < parameters.durationMs
  const waitMs = tooLong ? timeMs : parameters.durationMs
  try {
    if (waitMs > 0) await delay(Math.min(waitMs, LONGEST_TIMER_MS), undefined, { signal })
  } catch {
    return cancelled
  }
  if (tooLong) return ended('timeout', null, `it ran longer than its limit of ${timeMs} ms`)
  return ended('exited', parameters.exitCode, parameters.failMessage ?? null)
}

/**
 * The engine of tests and benchmarks: waits `DurationMs`, then ends with `ExitCode`, or fails with
 * `FailMessage`. It has no process, so a node that ends takes it along.
 */
export class NoopEngine implements Engine {
  readonly type = 'noop'
  readonly sharesInputs = true
  readonly keeper = null

  validate(params: SpecConfig['Params']): readonly string[] {
    return read(params).problems
  }

  available(): Promise<Availability> {
    return Promise.resolve({ ok: true })
  }

  inputs(task: TaskSpec): readonly InputSource[] {
    return task.InputSources ?? []
  }

  labels(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({})
  }

  prepare(engineRun: EngineRun, options: PrepareOptions): Promise<PreparedRun> {
    const parameters = read(engineRun.task.Engine.Params)
    return Promise.resolve({
      process: null,
      go: () => run(parameters, engineRun.limits.timeMs, options.signal),
      abandon: () => Promise.resolve(),
    })
  }
}
