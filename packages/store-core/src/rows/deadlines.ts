import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, tuple } from '../kv/tuple.ts'
import type { Deadline } from '../model/store-info.ts'
import { orUndamaged } from './quarantine.ts'
import { shiftTime } from './steady-clock.ts'
import { INDEX } from './tables.ts'

/**
 * Returns the deadlines up to and with a steady time, oldest first, without those of what is gone; `aheadMs` is by how
 * much that is ahead.
 */
export function readDeadlines(
  snapshot: KvSnapshot,
  untilMs: number,
  limit: number,
  aheadMs: number,
  isGone: (deadline: Deadline) => boolean,
): Deadline[] {
  const lt = tuple(INDEX.deadline, Math.min(untilMs, Number.MAX_SAFE_INTEGER - 1) + 1)
  // Only what waits to be reclaimed can have deadlines that concern nobody.
  const allThere = snapshot.keys('reclaim', { limit: 1 }).length === 0
  const found: Deadline[] = []
  let from: { gte: Uint8Array } | { gt: Uint8Array } = { gte: tuple(INDEX.deadline) }
  for (;;) {
    const wanted = limit - found.length
    const keys = snapshot.keys('index', { ...from, lt, limit: wanted })
    for (const key of keys) {
      const deadline = orUndamaged(() => toDeadline(key, aheadMs))
      // A damaged one must not keep those behind it from being met.
      if (deadline !== undefined && (allThere || !isGone(deadline))) found.push(deadline)
    }
    const last = keys.at(-1)
    if (last === undefined || keys.length < wanted || found.length === limit) return found
    from = { gt: last }
  }
}

function toDeadline(key: Uint8Array, aheadMs: number): Deadline {
  const [, due, kind, id] = decodeTuple(key)
  const dueAtMs = shiftTime(Number(due), -aheadMs)
  if (kind === 'job') return { kind, id: decodeId('j', id), dueAtMs }
  return { kind: 'execution', id: decodeId('e', id), dueAtMs }
}
