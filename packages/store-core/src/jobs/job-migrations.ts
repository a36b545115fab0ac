import { decodeId, decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { Migration } from '../migrations/migration.ts'
import { INDEX } from '../rows/tables.ts'
import { endStranded, newestEvaluation } from './stranded-job.ts'

const STEP_JOBS = 20

/**
 * Schema 2 counts lost leases in evaluations and has an index of suspects. Jobs that schema 1 left behind when the
 * attempts of their evaluation were used up end now, as they do in schema 2 at that moment.
 */
const FROM_1: Migration = {
  from: 1,
  step: (mutation, after) => {
    const prefix = tuple(INDEX.jobInProgress)
    const keys = mutation.rows.keys('index', {
      ...(after === '' ? { gte: prefix } : { gt: Buffer.from(after, 'hex') }),
      lt: endOfTuple(prefix),
      limit: STEP_JOBS,
    })
    for (const key of keys) {
      const jobId = decodeId('j', decodeTuple(key).at(-1))
      const newest = newestEvaluation(mutation.rows, jobId)
      if (newest?.status === 'failed') endStranded(mutation, jobId, newest.comment ?? '')
    }
    const last = keys.at(-1)
    return last === undefined ? null : Buffer.from(last).toString('hex')
  },
}

/** The work of migrations on a job store. */
export const JOB_MIGRATIONS: readonly Migration[] = [FROM_1]
