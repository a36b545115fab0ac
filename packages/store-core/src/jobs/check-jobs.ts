import type { KvStore } from '../kv/contract.ts'
import type { CheckOptions, CheckReport } from '../model/check-report.ts'

export async function checkJobStore(_kv: KvStore, _options: CheckOptions): Promise<CheckReport> {
  return { findings: [], truncated: false, examined: {} }
}
