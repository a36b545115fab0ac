import type { z } from 'zod'
import type { Complaint } from './problem.ts'

/** How a setting is written as text, and how it is shown. */
export type SettingForm =
  | 'text'
  | 'path'
  | 'choice'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'duration'
  | 'size'
  | 'list'
  | 'rules'

/** What the paths of one source are relative to. */
export interface PathBase {
  /** The home directory that `~` stands for; absent where it is not known. */
  readonly home: string | undefined
  /** The directory that relative paths start from. */
  readonly directory: string
}

/** A value, or why there is none. */
export type Located<Value> = { readonly value: Value } | Complaint

/** One setting: what it is called in each source, what it means, and what it may be. */
export interface Setting<Value, Held = Value> {
  /** Its name in the config file, with dots between the levels. */
  readonly key: string
  /** What it decides, in a sentence or two. */
  readonly description: string
  readonly form: SettingForm
  /** The flag, with its dashes; absent where there is none. */
  readonly flag?: string
  /** Other spellings of the flag. */
  readonly flagAliases?: readonly string[]
  /** The environment variable; absent where there is none. */
  readonly environment?: string
  /** The default as the config file would write it; `undefined` means that there is none. */
  readonly fallback: unknown
  /** What to show in place of a default that is only known later. */
  readonly fallbackNote?: string
  readonly schema: z.ZodType<Value>
  /** Makes a value absolute once its source is known; absent where nothing depends on that. */
  locate?(value: Value, base: PathBase): Located<Value>
  /** Returns what the configuration holds of a value; absent where that is the value itself. */
  held?(value: Value): Held
}

/** Declares a setting, whose types come from what is said of it. */
export function setting<Value, Held = Value>(declared: Setting<Value, Held>): Setting<Value, Held> {
  return declared
}

/** A setting whose value type does not matter to the reader. */
export type AnySetting = Setting<unknown, unknown>

/** Looks up the value of a setting. */
export type PickValue = <Value>(setting: Setting<Value, unknown>) => Value
