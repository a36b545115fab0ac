import { statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import type { Config } from '@saltcod/config'
import { recoveryPolicy } from '@saltcod/recovery'
import type { ComputeSettings } from './compute/settings.ts'
import { createEngines } from './create-engines.ts'
import { DEFAULT_INPUT_POLICY } from './inputs/input-policy.ts'
import { INPUT_TYPES } from './inputs/kinds.ts'
import type { Capacity } from './link/link.ts'
import { mostRunsFor, openFileLimit } from './open-file-limit.ts'
import { PUBLISHER_KINDS } from './publishers/kinds.ts'
import type { RequesterSettings } from './requester/settings.ts'
import { DEFAULT_REQUESTER_SETTINGS } from './requester/settings.ts'
import { buildVersion } from './version.ts'
import { labelsOfMachine } from './wire/node-output.ts'

const DEFAULT_OUTPUT_BYTES = 1024 ** 3

/** Works out how the requester works from the configuration. */
export function requesterSettings(config: Config): RequesterSettings {
  const defaults = DEFAULT_REQUESTER_SETTINGS
  const { limit, immediate, backoffMs, maxBackoffMs } = config.recovery.interruptions
  const { minHealthyMs, reschedule, keep } = config.services
  const { delayMs, maxDelayMs, unlimited, attempts, intervalMs } = reschedule
  return {
    ...defaults,
    retry: {
      ...defaults.retry,
      maxInterruptions: limit,
      immediateInterruptions: immediate,
      backoffMs,
      maxBackoffMs,
      restarts: {
        minHealthyMs,
        delayMs,
        maxDelayMs,
        attempts: unlimited ? null : attempts,
        intervalMs,
        keep,
      },
    },
    jobs: { ...defaults.jobs, maxSpecBytes: config.quota.specBytes },
    approvesNodes: !config.manualApproval,
    leaseMs: config.leases.durationMs,
    silentAfterMs: config.link.silentAfterMs,
    lostAfterMs: config.link.lostAfterMs,
    maxAttempts: config.leases.maxAttempts,
    retryDelaysMs: config.leases.retryDelaysMs,
  }
}

/** Works out how the compute side works from the configuration and the machine. */
export async function computeSettings(
  config: Config,
  dataDir: string,
  resultsDir: string,
  nodeId: string,
): Promise<ComputeSettings> {
  const { engines, inputs, quota, recovery } = config
  const { preset, cells, ageRules, keepForMs } = recovery
  return {
    // What an operator says is stronger.
    labels: { ...labelsOfMachine(nodeId, buildVersion()), ...config.labels },
    capacity: capacityOf(config, dataDir),
    maxRunning: maxRunningOf(config),
    leastFree: config.compute.leastFree,
    engines: await createEngines(config, dataDir, nodeId),
    publishers: PUBLISHER_KINDS.map(({ type }) => type),
    inputSources: INPUT_TYPES,
    timeLimitsMs: Object.fromEntries(
      Object.entries(engines).flatMap(([type, engine]) => {
        const limitMs = timeLimitOf(engine)
        return limitMs === 0 ? [] : [[type, limitMs]]
      }),
    ),
    inputPolicy: {
      ...DEFAULT_INPUT_POLICY,
      allowedPaths: inputs.allowedPaths,
      allowHosts: inputs.allowedHosts,
      ...(inputs.maxBytes === 0 ? {} : { maxBytes: inputs.maxBytes }),
    },
    variables: { allowed: config.compute.env.allowList, values: process.env },
    resultsDir,
    outputBytes: quota.resultBytes === 0 ? DEFAULT_OUTPUT_BYTES : quota.resultBytes,
    logBytes: quota.outputBytes,
    recovery: recoveryPolicy({ preset, cells, ageRules, keepForMs }),
    heartbeatMs: config.link.heartbeatMs,
  }
}

/** An engine need not have a limit of time among its settings. */
function timeLimitOf(engine: { readonly [name: string]: unknown }): number {
  const { timeLimitMs } = engine
  return typeof timeLimitMs === 'number' ? timeLimitMs : 0
}

/** What bounds runs by default is what they reserve; this only guards the node. */
const MOST_RUNNING = 1_000

/** How many runs there may be at a time, whatever they reserve. */
export function maxRunningOf({ compute }: Config): number {
  return compute.maxRunning ?? mostRunsFor(openFileLimit(), MOST_RUNNING)
}

/**
 * What the configuration reserves; where it is silent, all processors and four fifths of the memory of the machine,
 * and the space that is free below the data directory.
 */
function capacityOf(config: Config, dataDir: string): Capacity {
  const { cpu, memoryBytes, diskBytes, gpu } = config.compute.capacity
  const { bavail, bsize } = statfsSync(dataDir)
  return {
    cpu: cpu ?? availableParallelism(),
    memoryBytes: memoryBytes ?? Math.floor(totalmem() * 0.8),
    diskBytes: diskBytes ?? bavail * bsize,
    gpu,
  }
}
