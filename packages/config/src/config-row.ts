import { formatDuration, formatSize } from '@saltcod/units'
import type { LoadedConfig, SettingValue } from './load.ts'
import { formatOrigin, type Origin } from './origin.ts'
import type { AnySetting } from './setting.ts'
import { findSetting, SETTINGS } from './settings.ts'

/** One setting as a listing shows it. */
export interface ConfigRow {
  readonly key: string
  /** The value in the form of the config file: paths absolute, durations and sizes as text. */
  readonly value: unknown
  /** The value as one line of text; what the default will be where it is only known later. */
  readonly text: string
  readonly origin: Origin
  /** The origin in a few words, such as `--repo` or `saltcod.yaml:3`. */
  readonly originText: string
}

/** Lists every setting that has no error, with its value and origin, in a fixed order. */
export function listConfig(loaded: LoadedConfig): readonly ConfigRow[] {
  return SETTINGS.flatMap((setting) => {
    const value = loaded.values.find(({ key }) => key === setting.key)
    return value === undefined ? [] : [rowOf(setting, value)]
  })
}

/** Looks up one setting by key, in any case. Returns `undefined` if there is none of that name, or it is in error. */
export function getConfig(loaded: LoadedConfig, key: string): ConfigRow | undefined {
  const setting = findSetting(key)
  const value = loaded.values.find((candidate) => candidate.key === setting?.key)
  return setting === undefined || value === undefined ? undefined : rowOf(setting, value)
}

function rowOf(setting: AnySetting, { value, given, origin }: SettingValue): ConfigRow {
  const shown = fileForm(setting, value, given)
  const text =
    shown === undefined
      ? `(${setting.fallbackNote ?? 'none'})`
      : typeof shown === 'string'
        ? shown
        : JSON.stringify(shown)
  return { key: setting.key, value: shown, text, origin, originText: formatOrigin(origin) }
}

function fileForm(setting: AnySetting, value: unknown, given: unknown): unknown {
  if (setting.form === 'duration' && typeof value === 'number') return formatDuration(value)
  if (setting.form === 'size' && typeof value === 'number') return formatSize(value)
  // Parsed rules have the names of the program, and lists of durations are bare numbers.
  if (setting.form === 'rules') return given
  if (setting.form === 'list' && Array.isArray(value) && value.every((item) => typeof item === 'number')) {
    return value.map((durationMs: number) => formatDuration(durationMs))
  }
  return value
}
