import type { Origin } from './origin.ts'
import type { AnySetting, PathBase } from './setting.ts'

/** A value as one source gave it, before it is checked. */
export interface RawValue {
  readonly setting: AnySetting
  /** The plain data that was given; texts of flags and variables are already converted by the setting's form. */
  readonly raw: unknown
  readonly origin: Origin
  readonly base: PathBase
  /** Finds where a part of the value was given, for values of several lines; absent means at the origin. */
  originOf?(path: readonly PropertyKey[]): Origin
}

/**
 * Converts the text of a flag or variable into what the config file would hold.
 * A text that does not fit is left alone: the schema complains about it with the right words.
 */
export function fromText(setting: AnySetting, text: string): unknown {
  const trimmed = text.trim()
  switch (setting.form) {
    case 'integer':
      return /^[+-]?\d+$/.test(trimmed) ? Number(trimmed) : text
    case 'number':
      return /^[+-]?\d+(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : text
    case 'boolean':
      if (/^(?:true|1|yes|on)$/i.test(trimmed)) return true
      if (/^(?:false|0|no|off)$/i.test(trimmed)) return false
      return text
    case 'text':
    case 'path':
    case 'choice':
    case 'duration':
    case 'size':
    case 'list':
    case 'rules':
      return text
  }
}
