import { bytesText, span } from '@saltcod/cli-kit'
import { applyRetention, type JobRetentionRule } from '@saltcod/compaction'
import type { OpenedJobs } from '../store/open-store.ts'

/** What a rule of retention would remove now. */
export interface RulePreview {
  /** The rule in words; `all rules together` for the last of several. */
  readonly rule: string
  readonly jobs: number
  /** Bytes of everything that belongs to them, index rows left out. */
  readonly bytes: number
  readonly held: number
  readonly overdueSeconds: number
}

/** Works out what each rule would remove from a store, and all of them together. Writes nothing. */
export async function previewRules(
  { store }: OpenedJobs,
  rules: readonly JobRetentionRule[],
): Promise<RulePreview[]> {
  const previews: RulePreview[] = []
  for (const rule of rules) previews.push(await preview(store, [rule], ruleText(rule)))
  if (rules.length > 1) previews.push(await preview(store, rules, 'all rules together'))
  return previews
}

async function preview(
  store: OpenedJobs['store'],
  rules: readonly JobRetentionRule[],
  text: string,
): Promise<RulePreview> {
  const report = await applyRetention(store, rules, { dryRun: true, clockConfirmed: true })
  return {
    rule: text,
    jobs: report.removed,
    bytes: report.removedBytes,
    held: report.held,
    overdueSeconds: Math.round(report.overdueMs / 1000),
  }
}

function ruleText({ namespace, state, maxAgeMs, maxCount, maxBytes }: JobRetentionRule): string {
  const limits = [
    ...(maxAgeMs === undefined ? [] : [`older than ${span(maxAgeMs)}`]),
    ...(maxCount === undefined ? [] : [`more than ${maxCount}`]),
    ...(maxBytes === undefined ? [] : [`above ${bytesText(maxBytes)}`]),
  ]
  const where = namespace === undefined ? '' : ` in ${namespace}`
  return `${state ?? 'ended'}${where}, ${limits.join(' or ')}`
}
