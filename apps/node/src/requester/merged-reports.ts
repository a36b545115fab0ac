import type { Report } from '../link/link.ts'

/**
 * Returns, for each report, the one that says what it says: itself, or the beginning of the run where a node took an
 * execution on and began it before it could tell of either. Nobody could have seen the two apart.
 */
export function mergedReports(reports: readonly Report[]): Report[] {
  const beginnings = new Map<string, Report>()
  for (const report of reports) {
    if (report.state === 'Running') beginnings.set(report.executionId, report)
  }
  for (const { executionId, revision, state, patch } of reports) {
    const beginning = beginnings.get(executionId)
    if (state === 'BidAccepted' && beginning?.revision === revision + 1)
      beginnings.set(executionId, { ...beginning, patch: { ...patch, ...beginning.patch } })
  }
  return reports.map((report) => {
    const beginning = beginnings.get(report.executionId)
    const isPart =
      beginning?.revision === report.revision ||
      (report.state === 'BidAccepted' && beginning?.revision === report.revision + 1)
    return isPart && beginning !== undefined ? beginning : report
  })
}
