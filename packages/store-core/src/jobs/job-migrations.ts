import { isStoreError } from '../errors.ts'
import { decodeId, decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { Migration } from '../migrations/migration.ts'
import { checkId } from '../model/id.ts'
import { peerTable } from '../rows/meta-table.ts'
import type { Mutation } from '../rows/mutation.ts'
import { orUndamaged } from '../rows/quarantine.ts'
import { INDEX } from '../rows/tables.ts'
import { putNode } from './node-row.ts'
import { endStranded, newestEvaluation } from './stranded-job.ts'

const STEP_JOBS = 20
const STEP_NODES = 100

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

/**
 * Schema 3 keeps the nodes in a table. Those of schema 2 are known by the stores that they had, as other sides of the
 * link, and worked with all the same, so they are approved.
 */
const FROM_2: Migration = {
  from: 2,
  step: (mutation, after) => {
    const prefix = tuple('peer')
    const keys = mutation.rows.keys('meta', {
      ...(after === '' ? { gte: prefix } : { gt: Buffer.from(after, 'hex') }),
      lt: endOfTuple(prefix),
      limit: STEP_NODES,
    })
    for (const key of keys) {
      takeInPeer(mutation, key)
      mutation.rows.remove('meta', key)
    }
    const last = keys.at(-1)
    return last === undefined ? null : Buffer.from(last).toString('hex')
  },
}

/** A damaged one, or one of a name that no node has, is met as a new one when it comes. */
function takeInPeer(mutation: Mutation, key: Uint8Array): void {
  const id = orUndamaged(() => String(decodeTuple(key)[1]))
  const peer = orUndamaged(() => peerTable.get(mutation.rows, key))
  if (id === undefined || !isId(id) || peer === undefined) return
  const { seenAtMs, ...store } = peer
  putNode(mutation, id, null, {
    membership: 'approved',
    scheduling: 'on',
    store,
    firstSeenAtMs: seenAtMs,
    lastSeenAtMs: seenAtMs,
    revision: 1,
  })
}

function isId(text: string): boolean {
  try {
    checkId('node', text)
    return true
  } catch (error) {
    if (!isStoreError(error)) throw error
    return false
  }
}

/** The work of migrations on a job store. */
export const JOB_MIGRATIONS: readonly Migration[] = [FROM_1, FROM_2]
