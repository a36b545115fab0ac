/** The names of the ready-made policies. */
export const RECOVERY_PRESETS = ['resume', 'expire'] as const

/** One of {@link RECOVERY_PRESETS}. */
export type RecoveryPreset = (typeof RECOVERY_PRESETS)[number]
