/** The names of the ready-made policies. */
export const RECOVERY_PRESETS = ['resume', 'expire'] as const

/** One of {@link RECOVERY_PRESETS}. */
export type RecoveryPreset = (typeof RECOVERY_PRESETS)[number]

/** What is read for a preset beside its name: the earlier word for `expire`. */
export const RECOVERY_PRESET_ALIASES: ReadonlyMap<string, RecoveryPreset> = new Map([
  ['documented', 'expire'],
])
