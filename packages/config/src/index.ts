export type { Config } from './config.ts'
export { type ConfigRow, getConfig, listConfig } from './config-row.ts'
export { defaultConfigYaml } from './default-file.ts'
export { nearestName } from './did-you-mean.ts'
export { makeDirectory, syncDirectory } from './directory.ts'
export type { Environment } from './environment.ts'
export { type FileKind, fileKind } from './file-kind.ts'
export { findStores } from './find-stores.ts'
export { type ConfigFlag, configFlags, type Flags, type FlagUse } from './flags.ts'
export type { Frozen } from './freeze.ts'
export { configSchema, type JsonSchema } from './json-schema.ts'
export { writeKeptFile } from './kept-file.ts'
export {
  CONFIG_FILE_NAME,
  type LoadConfigOptions,
  type LoadedConfig,
  loadConfig,
  type SettingValue,
} from './load.ts'
export { goneStores } from './missing-stores.ts'
export { ensureNodeId, type KeptNodeId, makeNodeId, NODE_ID_FILE_NAME, readNodeId } from './node-id.ts'
export { formatOrigin, type Origin } from './origin.ts'
export { listStores, type RepositoryStore } from './other-nodes.ts'
export { formatProblem, type Problem } from './problem.ts'
export {
  type OpenedStore,
  type OpenedStores,
  REMEMBERED_STORES_FILE_NAME,
  type RememberStoresOptions,
  rememberReplacement,
  rememberStores,
  wasReplaced,
} from './remembered-stores.ts'
export type { LogFormat, LogLevel } from './settings/logging.ts'
export { NODE_ID_PATTERN, type NodeRole } from './settings/node.ts'
export type { FinishedJobState, RetentionRule } from './settings/retention.ts'
export type { StoreType } from './settings/stores.ts'
export { type TlsMode, tlsModeOf } from './settings/tls.ts'
export {
  type FindStoresOptions,
  formatFinding,
  type StoreFinding,
  type StoreFindingKind,
} from './store-finding.ts'
export { type ResolvedPaths, resolvePaths, type StoreLocation } from './store-location.ts'
export { type StoreIdentity, type StrangeStoresOptions, strangeStores } from './strange-stores.ts'
export { yamlWords } from './yaml-words.ts'
