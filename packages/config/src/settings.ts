import type { AnySetting } from './setting.ts'
import { apiHost, apiMaxBodySize, apiPort, loggingFormat, loggingLevel } from './settings/api.ts'
import { archiveDirectory } from './settings/archive.ts'
import {
  capacityCpu,
  capacityDisk,
  capacityGpu,
  capacityMemory,
  leastFreeFiles,
  leastFreeMemory,
  leastFreeProcesses,
  maxRunning,
  nodeLabels,
} from './settings/capacity.ts'
import {
  allowExec,
  execFreshNamespace,
  execIsolate,
  execTimeLimit,
  inputAllowedHosts,
  inputAllowedPaths,
  inputMaxSize,
  resultsPath,
  wasmFreshProcess,
  wasmMemoryLimit,
  wasmTimeLimit,
} from './settings/engines.ts'
import { foldAfter } from './settings/fold.ts'
import {
  gracePeriod,
  leaseDuration,
  leaseMaxAttempts,
  leaseRetryDelays,
  quotaOutputSize,
  quotaResultSize,
  quotaSpecSize,
  quotaStoreSize,
} from './settings/limits.ts'
import { dataDir, nodeId, nodeType } from './settings/node.ts'
import {
  interruptionBackoff,
  interruptionImmediate,
  interruptionLimit,
  interruptionMaxBackoff,
  recoveryAgeRules,
  recoveryCells,
  recoveryKeepFor,
  recoveryPreset,
} from './settings/recovery.ts'
import { retention } from './settings/retention.ts'
import { rewriteAtStart, rewriteDeadShare, rewriteEvery, rewriteMinSize } from './settings/rewrite.ts'
import { executionStorePath, executionStoreType, jobStorePath, jobStoreType } from './settings/stores.ts'

/** Every setting there is, in the order in which they are listed. */
export const SETTINGS: readonly AnySetting[] = [
  dataDir,
  nodeId,
  nodeType,
  nodeLabels,
  maxRunning,
  capacityCpu,
  capacityMemory,
  capacityDisk,
  capacityGpu,
  leastFreeFiles,
  leastFreeMemory,
  leastFreeProcesses,
  executionStoreType,
  executionStorePath,
  jobStoreType,
  jobStorePath,
  archiveDirectory,
  apiHost,
  apiPort,
  apiMaxBodySize,
  loggingLevel,
  loggingFormat,
  recoveryPreset,
  recoveryCells,
  recoveryAgeRules,
  recoveryKeepFor,
  interruptionLimit,
  interruptionImmediate,
  interruptionBackoff,
  interruptionMaxBackoff,
  retention,
  foldAfter,
  rewriteAtStart,
  rewriteEvery,
  rewriteDeadShare,
  rewriteMinSize,
  quotaStoreSize,
  quotaSpecSize,
  quotaResultSize,
  quotaOutputSize,
  leaseDuration,
  leaseMaxAttempts,
  leaseRetryDelays,
  gracePeriod,
  allowExec,
  execIsolate,
  execFreshNamespace,
  execTimeLimit,
  wasmFreshProcess,
  wasmMemoryLimit,
  wasmTimeLimit,
  inputAllowedPaths,
  inputAllowedHosts,
  inputMaxSize,
  resultsPath,
]

/** Finds a setting by the name that the config file gives it, in any case; `undefined` if there is none. */
export function findSetting(key: string): AnySetting | undefined {
  const wanted = key.toLowerCase()
  return SETTINGS.find((setting) => setting.key.toLowerCase() === wanted)
}
