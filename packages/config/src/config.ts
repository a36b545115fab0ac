import type { Frozen } from './freeze.ts'
import type { PickValue, Setting } from './setting.ts'
import { isSetting, SETTING_TREE, type SettingSection } from './settings.ts'

type HeldBy<Entry> =
  Entry extends Setting<infer _Value, infer Held>
    ? Frozen<Held>
    : { readonly [Name in keyof Entry]: HeldBy<Entry[Name]> }

/**
 * The whole configuration of a node, as the tree of settings says. Paths are absolute; a time limit or store quota of
 * 0 means that there is none.
 */
export type Config = HeldBy<typeof SETTING_TREE>

/** Puts the configuration together from the values of all settings. */
export function buildConfig(pick: PickValue): Config {
  return valuesOf(SETTING_TREE, pick) as Config
}

function valuesOf(section: SettingSection, pick: PickValue): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(section).map(([name, entry]) => {
      if (!isSetting(entry)) return [name, valuesOf(entry, pick)]
      const value = pick(entry)
      return [name, entry.held === undefined ? value : entry.held(value)]
    }),
  )
}
