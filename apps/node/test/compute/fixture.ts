import { join } from 'node:path'
import type { Task } from '@saltcod/bacalhau-records'
import { type RecoveryPolicyOptions, recoveryPolicy } from '@saltcod/recovery'
import type { ExecutionJob, ExecutionStore, JobType, Json } from '@saltcod/store-core'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { type ComputeNode, startCompute } from '../../src/compute/compute-node.ts'
import type { ComputeSettings } from '../../src/compute/settings.ts'
import { EngineRegistry } from '../../src/engines/engine-registry.ts'
import { ExecEngine } from '../../src/engines/exec/exec-engine.ts'
import { NoopEngine } from '../../src/engines/noop/noop-engine.ts'
import { DEFAULT_INPUT_POLICY } from '../../src/inputs/input-policy.ts'
import { linkInProcess } from '../../src/link/in-process.ts'
import type { Link } from '../../src/link/link.ts'
import { wholeTask } from './work-bench.ts'

/** The node id of these tests. */
export const NODE_ID = 'n-test'

/** A job with one task of an engine. */
export function jobOf(
  engine: string,
  params: { readonly [name: string]: Json },
  more: { readonly type?: JobType; readonly priority?: number; readonly task?: Partial<Task> } = {},
): ExecutionJob {
  const task = wholeTask({
    Engine: { Type: engine, Params: params },
    Resources: { CPU: '100m', Memory: '64mb', Disk: '', GPU: '' },
    ...more.task,
  })
  const { type = 'batch', priority = 0 } = more
  const spec = { Tasks: [task], Constraints: [], Meta: {} } as unknown as Json
  return { id: 'j-1', version: 1, namespace: 'default', name: 'test', type, priority, spec }
}

/** A job that runs a shell script. */
export function shellJob(script: string, more: Parameters<typeof jobOf>[2] = {}): ExecutionJob {
  return jobOf('exec', { Command: 'sh', Arguments: ['-c', script] }, more)
}

/** What an operator of these tests decides. */
export function settingsFor(
  dataDir: string,
  recovery: RecoveryPolicyOptions = {},
  more: Partial<ComputeSettings> = {},
): ComputeSettings {
  return {
    labels: {},
    capacity: { cpu: 2, memoryBytes: 1e9, diskBytes: 1e9, gpu: 0 },
    maxRunning: 100,
    leastFree: { memoryBytes: 0, diskBytes: 0, processes: 0, files: 0 },
    engines: new EngineRegistry([new NoopEngine(), new ExecEngine({ allowed: true, graceMs: 200 })]),
    publishers: ['local'],
    inputSources: ['inline'],
    timeLimitsMs: {},
    variables: { allowed: [], values: {} },
    inputPolicy: DEFAULT_INPUT_POLICY,
    resultsDir: join(dataDir, 'results'),
    outputBytes: 1e8,
    logBytes: 1e6,
    recovery: recoveryPolicy(recovery),
    heartbeatMs: 15_000,
    ...more,
  }
}

/** Starts a compute side that is stopped when the test ends. */
export async function startComputeSide(options: {
  readonly store: ExecutionStore
  readonly link: Link
  readonly dataDir: string
  readonly recovery?: RecoveryPolicyOptions
  readonly settings?: Partial<ComputeSettings>
}): Promise<ComputeNode> {
  const { store, dataDir, recovery, settings } = options
  const { link, close } = linkInProcess(options.link)
  const side = await startCompute({
    store,
    link,
    nodeId: NODE_ID,
    requesterId: 'requester',
    dataDir,
    settings: settingsFor(dataDir, recovery, settings),
    log: pino({ level: process.env['SALTCOD_TEST_LOG'] ?? 'silent' }),
  })
  onTestFinished(async () => {
    await side.stop(0)
    close()
  })
  return side
}
