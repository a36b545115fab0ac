import type { Json, OutboxRow } from '@saltcod/store-core'
import type { Report } from '../link/link.ts'

/** Returns the report that a row of the outbox carries; `undefined` where it carries none. */
export function reportIn({ body }: Pick<OutboxRow, 'body'>): Report | undefined {
  const report = body as unknown as Partial<Report> | null
  return typeof report?.executionId === 'string' && typeof report.revision === 'number'
    ? (report as Report)
    : undefined
}

/** Writes a report as the body of a row. A report is plain data, which the compiler cannot see of an interface. */
export function bodyOf(report: Report): Json {
  return report as unknown as Json
}
