import type { AnySetting } from './setting.ts'
import { api } from './settings/api.ts'
import { archive } from './settings/archive.ts'
import { compaction } from './settings/compaction.ts'
import { compute } from './settings/compute.ts'
import { engines } from './settings/engines.ts'
import { gracePeriod } from './settings/grace-period.ts'
import { inputs } from './settings/inputs.ts'
import { leases } from './settings/leases.ts'
import { link } from './settings/link.ts'
import { logging } from './settings/logging.ts'
import { manualApproval } from './settings/manual-approval.ts'
import { node } from './settings/node.ts'
import { quota } from './settings/quota.ts'
import { recovery } from './settings/recovery.ts'
import { results } from './settings/results.ts'
import { retention } from './settings/retention.ts'
import { services } from './settings/services.ts'
import { stores } from './settings/stores.ts'

/**
 * Every setting there is, as the configuration nests their values, in the order in which they are listed. From this
 * come the type of the configuration, the flags, the variables, the listing, the file of defaults and the JSON schema.
 */
export const SETTING_TREE = {
  ...node,
  compute,
  ...stores,
  archive,
  manualApproval,
  api,
  /** How patient a requester and its compute nodes are with each other. */
  link,
  logging,
  recovery,
  /** How what should run for ever is started again. */
  services,
  /** What is kept of finished jobs. */
  retention,
  compaction,
  quota,
  leases,
  /** How long running work may finish at a stop. */
  gracePeriodMs: gracePeriod,
  engines,
  inputs,
  results,
}

/** Settings, and sections of them, by name. */
export interface SettingSection {
  readonly [name: string]: AnySetting | SettingSection
}

/** Tells a setting from a section. */
export function isSetting(entry: SettingSection[string]): entry is AnySetting {
  return 'schema' in entry
}

function settingsIn(section: SettingSection): readonly AnySetting[] {
  return Object.values(section).flatMap((entry) => (isSetting(entry) ? [entry] : settingsIn(entry)))
}

/** Every setting there is, in the order in which they are listed. */
export const SETTINGS: readonly AnySetting[] = settingsIn(SETTING_TREE)

/** Finds a setting by the name that the config file gives it, in any case; `undefined` if there is none. */
export function findSetting(key: string): AnySetting | undefined {
  const wanted = key.toLowerCase()
  return SETTINGS.find((setting) => setting.key.toLowerCase() === wanted)
}
