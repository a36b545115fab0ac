import type { Json } from '@saltcod/store-core'

/** What stands in place of a secret. */
const REDACTED = '[redacted]'

/** Maps and lists whose values are settings of a process, where secrets usually are. */
const ENVIRONMENT = /^(env|environment|environmentvariables|envvars)$/i
const SECRET =
  /(password|passwd|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|authorization)/i

/**
 * Returns a copy of a JSON value without the values of environment variables and without texts under names
 * such as `password`; the names stay, so that one sees what is set.
 */
export function redact(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => redact(item as Json))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, redactNamed(name, inner as Json)]),
  )
}

function redactNamed(name: string, value: Json): Json {
  if (ENVIRONMENT.test(name)) return hideValues(value)
  if (SECRET.test(name) && (typeof value === 'string' || typeof value === 'number')) return REDACTED
  return redact(value)
}

function hideValues(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => hideValues(item as Json))
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.keys(value).map((name) => [name, REDACTED]))
  }
  if (typeof value !== 'string') return value
  const equals = value.indexOf('=')
  return equals < 0 ? REDACTED : `${value.slice(0, equals)}=${REDACTED}`
}
