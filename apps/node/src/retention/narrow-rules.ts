import type { JobRetentionRule } from '@saltcod/compaction'

/** Limits that somebody asked for. */
export interface AskedLimits {
  readonly maxAgeMs?: number | undefined
  readonly maxCount?: number | undefined
  readonly maxBytes?: number | undefined
}

/**
 * The rules of a run: one with the limits that were asked for instead of the configured ones, all narrowed to a
 * namespace.
 */
export function narrowRules(
  configured: readonly JobRetentionRule[],
  namespace: string | undefined,
  { maxAgeMs, maxCount, maxBytes }: AskedLimits,
): readonly JobRetentionRule[] {
  const asked = {
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(maxCount === undefined ? {} : { maxCount }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  }
  const rules: readonly JobRetentionRule[] = Object.keys(asked).length === 0 ? configured : [asked]
  if (namespace === undefined) return rules
  return rules
    .filter((rule) => rule.namespace === undefined || rule.namespace === namespace)
    .map((rule) => ({ ...rule, namespace }))
}
