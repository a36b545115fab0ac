import { complaintsOf } from './complaint.ts'
import type { Problem } from './problem.ts'
import type { RawValue } from './raw-value.ts'

/** A checked value, or everything that is wrong with it. */
export type CheckedValue = { readonly value: unknown } | { readonly errors: readonly Problem[] }

/** Checks a given value against the schema of its setting and makes its paths absolute. */
export function checkValue(given: RawValue): CheckedValue {
  const { setting, raw, origin, base } = given
  if (raw === undefined) return { value: undefined }
  const parsed = setting.schema.safeParse(raw, { reportInput: true })
  if (!parsed.success) {
    const errors: Problem[] = []
    const seen = new Set<string>()
    for (const issue of parsed.error.issues) {
      for (const { path, place, problem, hint } of complaintsOf(setting.schema, issue)) {
        const key = formatPath(setting.key, place)
        // Two checks of one value say the same twice.
        if (path === place && seen.has(key)) continue
        seen.add(key)
        errors.push({ origin: given.originOf?.(path) ?? origin, key, problem, hint })
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
