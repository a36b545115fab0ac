import { type Problem, splitComplaints } from './problem.ts'
import type { RawValue } from './raw-value.ts'

/** A checked value, or everything that is wrong with it. */
export type CheckedValue = { readonly value: unknown } | { readonly errors: readonly Problem[] }

/** Checks a given value against the schema of its setting and makes its paths absolute. */
export function checkValue(given: RawValue): CheckedValue {
  const { setting, raw, origin, base } = given
  if (raw === undefined) return { value: undefined }
  const parsed = setting.schema.safeParse(raw)
  if (!parsed.success) {
    const errors: Problem[] = []
    const seen = new Set<string>()
    for (const issue of parsed.error.issues) {
      const complaints = splitComplaints(issue.message)
      const names: readonly string[] = issue.code === 'unrecognized_keys' ? issue.keys : []
      for (const [index, complaint] of complaints.entries()) {
        const name = names[index]
        const place = formatPath(setting.key, issue.path)
        // Two checks of one value say the same twice.
        if (name === undefined && seen.has(place)) continue
        seen.add(place)
        const inner = name === undefined ? issue.path : [...issue.path, name]
        errors.push({ origin: given.originOf?.(inner) ?? origin, key: place, ...complaint })
      }
    }
    return { errors }
  }
  if (setting.locate === undefined) return { value: parsed.data }
  const located = setting.locate(parsed.data, base)
  if ('value' in located) return located
  return { errors: [{ origin, key: setting.key, ...located }] }
}

function formatPath(key: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    return typeof step === 'number' ? `${text}[${step}]` : `${text}.${String(step)}`
  }, key)
}
