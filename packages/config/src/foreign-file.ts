import type { Complaint } from './problem.ts'

/** The sections and settings of a Bacalhau node of any release that are none here. */
const OF_BACALHAU: readonly string[] = [
  'Auth',
  'Compute',
  'DisableAnalytics',
  'FeatureFlags',
  'InputSources',
  'JobAdmissionControl',
  'JobDefaults',
  'Labels',
  'Metrics',
  'NameProvider',
  'Orchestrator',
  'Publishers',
  'ResultDownloaders',
  'StrictVersionMatch',
  'Update',
  'UpdateConfig',
  'User',
  'WebUI',
]

/** Tells whether a key at the top of a config file is one of Bacalhau's that is none here. */
export function isBacalhauKey(key: string): boolean {
  return OF_BACALHAU.some((other) => other.toLowerCase() === key.toLowerCase())
}

/** Says what a file with these keys at its top is, where it is no configuration of this program. */
export function foreignFile(keys: readonly string[]): Complaint | undefined {
  const has = (key: string): boolean => keys.some((other) => other.toLowerCase() === key)
  if (has('tasks') || (has('apiversion') && has('spec'))) {
    return { problem: 'this is a job, not a configuration', hint: 'submit it with: saltcod job run FILE' }
  }
  const foreign = keys.filter(isBacalhauKey)
  if (foreign.length === 0) return undefined
  return {
    problem: `this is a configuration of a Bacalhau node: ${foreign.slice(0, 10).join(', ')} ${foreign.length === 1 ? 'is' : 'are'} not known here`,
    hint: 'keep what both have, such as API and DataDir, and see the settings that there are with: saltcod config default',
  }
}
