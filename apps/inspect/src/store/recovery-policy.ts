import { type RecoveryPolicy, type RecoveryPreset, recoveryPolicy } from '@saltcod/recovery'
import { readNodeConfig } from './node-config.ts'

/** Whose policy is wanted instead of that of the node. */
export interface PolicyChoice {
  readonly preset?: RecoveryPreset
  readonly config?: string
}

/**
 * Reads what a restart of the node will go by: the policy of the config file that is given or that is in the
 * repository, else the preset. Throws a `Failure` for a file with mistakes.
 */
export async function readRecoveryPolicy(
  store: string,
  { preset, config: file }: PolicyChoice = {},
): Promise<RecoveryPolicy> {
  if (preset !== undefined) return recoveryPolicy({ preset })
  const config = await readNodeConfig(store, file)
  if (config === null) return recoveryPolicy()
  const { preset: chosen, cells, ageRules, keepForMs } = config.recovery
  return recoveryPolicy({ preset: chosen, cells, ageRules, keepForMs })
}
