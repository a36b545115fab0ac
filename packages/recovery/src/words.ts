// A door of its own: who only reads these words should not load what carries a policy out.
export { LEGAL_ACTIONS, RECOVERY_ACTIONS, type RecoveryAction } from './action.ts'
export type { AgeRule } from './age-rule.ts'
export { RECOVERY_PRESET_ALIASES, RECOVERY_PRESETS, type RecoveryPreset } from './preset.ts'
