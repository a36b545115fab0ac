import type { Json } from '@saltcod/store-core'

/** What stands in place of a secret. */
export const REDACTED = '[redacted]'

/** Maps and lists whose values are settings of a process, where secrets usually are. */
const ENVIRONMENT = /^(env|environment|environmentvariables|envvars)$/i
/** Maps of words that are chosen to be seen. */
const LABELS = /^labels$/i
const SECRET =
  /(password|passwd|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|authorization)/i

/** Gets each text that is hidden. */
export type OnHidden = (text: string) => void

/**
 * Returns a copy of a JSON value without the values of environment variables and without texts under names
 * such as `password`; the names stay, so that one sees what is set.
 */
export function redact(value: Json, onHidden: OnHidden = () => undefined): Json {
  if (Array.isArray(value)) return value.map((item) => redact(item as Json, onHidden))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, redactNamed(name, inner as Json, onHidden)]),
  )
}

function redactNamed(name: string, value: Json, onHidden: OnHidden): Json {
  if (LABELS.test(name) && isTextMap(value)) return value
  if (ENVIRONMENT.test(name)) return hideValues(value, onHidden)
  if (SECRET.test(name) && (typeof value === 'string' || typeof value === 'number')) {
    onHidden(String(value))
    return REDACTED
  }
  return redact(value, onHidden)
}

function isTextMap(value: Json): boolean {
  return (
    value !== null &&
    typeof value === 'object' &&
    !Array.isArray(value) &&
    Object.values(value).every((inner) => typeof inner === 'string')
  )
}

function hideValues(value: Json, onHidden: OnHidden): Json {
  if (Array.isArray(value)) return value.map((item) => hideValues(item as Json, onHidden))
  if (value !== null && typeof value === 'object') {
    for (const inner of Object.values(value)) if (typeof inner === 'string') onHidden(inner)
    return Object.fromEntries(Object.keys(value).map((name) => [name, REDACTED]))
  }
  if (typeof value !== 'string') return value
  const equals = value.indexOf('=')
  onHidden(value.slice(equals + 1))
  return equals < 0 ? REDACTED : `${value.slice(0, equals)}=${REDACTED}`
}
