export type { Config, RecoveryConfig, StoreConfig } from './config.ts'
export { formatDuration, parseDuration } from './duration.ts'
export type { Environment } from './environment.ts'
export { type Arguments, type ConfigFlag, configFlags } from './flags.ts'
export { type ConfigRow, getConfig, listConfig } from './listing.ts'
export {
  CONFIG_FILE_NAME,
  type LoadConfigOptions,
  type LoadedConfig,
  loadConfig,
  type SettingValue,
} from './load.ts'
export { formatOrigin, type Origin } from './origin.ts'
export { formatProblem, type Problem } from './problem.ts'
export type { LogFormat, LogLevel } from './settings/api.ts'
export type { NodeRole } from './settings/node.ts'
export type {
  JobTypeName,
  RecoverableState,
  RecoveryActionName,
  RecoveryAgeRule,
  RecoveryCells,
  RecoveryPreset,
} from './settings/recovery.ts'
export type { FinishedJobState, RetentionRule } from './settings/retention.ts'
export type { StoreType } from './settings/stores.ts'
export { formatSize, parseSize } from './size.ts'
