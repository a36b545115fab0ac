import type { SpecConfig } from '@saltcod/bacalhau-records'
import { describe, expect, test } from 'vitest'
import type { EngineOutcome } from '../../src/compute/keeper/outcome.ts'
import type { RunLimits } from '../../src/engines/engine.ts'
import { EngineRegistry } from '../../src/engines/engine-registry.ts'
import { ExecEngine } from '../../src/engines/exec/exec-engine.ts'
import { NoopEngine } from '../../src/engines/noop/noop-engine.ts'
import { NOOP } from '../../src/engines/noop/parameters.ts'
import { parameterLines } from '../../src/spec/parameters.ts'
import { WIDE_LIMITS, wholeTask } from '../compute/work-bench.ts'

const engine = new NoopEngine()

async function run(
  params: SpecConfig['Params'],
  limits: Partial<RunLimits> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<EngineOutcome> {
  const prepared = await engine.prepare(
    {
      executionId: 'e-1',
      attempt: 1,
      job: { id: 'j-1', namespace: 'default', type: 'batch' },
      task: wholeTask({ Engine: { Type: 'noop', Params: params } }),
      work: {
        workDir: '/nowhere',
        rootDir: '/nowhere/root',
        inputs: [],
        results: [],
        release: () => undefined,
      },
      limits: { ...WIDE_LIMITS, ...limits },
      environment: {},
    },
    { signal },
  )
  expect(prepared.process).toBeNull()
  return await prepared.go()
}

describe('a noop job', () => {
  test.each([
    [{}, { exitCode: 0, errorMessage: null, reason: 'exited' }],
    [{ ExitCode: 4 }, { exitCode: 4, errorMessage: null, reason: 'exited' }],
    [
      { failmessage: 'on purpose', DurationMs: 5 },
      { exitCode: 0, errorMessage: 'on purpose', reason: 'exited' },
    ],
  ])('%j', async (params, outcome) => expect(await run(params)).toMatchObject(outcome))

  test('is held to its time limit', async () => {
    expect(await run({ DurationMs: 1e8 }, { timeMs: 20 })).toMatchObject({
      reason: 'timeout',
      exitCode: null,
      errorMessage: 'it ran longer than its limit of 20ms',
    })
  })

  test('can be cancelled, before and while it runs', async () => {
    expect(await run({}, {}, AbortSignal.abort())).toMatchObject({ reason: 'cancelled' })
    expect(await run({ DurationMs: 1e8 }, {}, AbortSignal.timeout(20))).toMatchObject({ reason: 'cancelled' })
  })

  test.each([
    [{ DurationMs: -1 }, 'noop: DurationMs must be a whole number from 0 to 2147483647'],
    [{ DurationMs: '5' }, 'noop: DurationMs must be a whole number from 0 to 2147483647'],
    [{ ExitCode: 256 }, 'noop: ExitCode must be a whole number from 0 to 255'],
    [{ FailMessage: [] }, 'noop: FailMessage must be a text'],
  ])('parameters %j are refused', (params, problem) =>
    expect(parameterLines(NOOP, params)).toEqual([problem]),
  )
})

describe('the engines of a node', () => {
  const registry = new EngineRegistry([engine, new ExecEngine({ allowed: false })])

  test('are found by type in any case', () => {
    expect(registry.get(' NoOp ')).toBe(engine)
    expect(registry.get('docker')).toBeUndefined()
    expect(registry.get('__proto__')).toBeUndefined()
  })

  test('are offered when they can run, with a reason where not', async () =>
    expect(await registry.offer()).toEqual({
      engines: ['noop'],
      missingEngines: { exec: 'the exec engine is off; start the node with --allow-exec' },
    }))
})
