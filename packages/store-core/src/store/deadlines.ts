import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, tuple } from '../kv/tuple.ts'
import type { Deadline } from '../model/store-info.ts'
import { INDEX } from './tables.ts'

/** Returns the deadlines up to and with a time, oldest first. */
export function readDeadlines(snapshot: KvSnapshot, nowMs: number, limit: number): Deadline[] {
  const end = tuple(INDEX.deadline, Math.min(nowMs, Number.MAX_SAFE_INTEGER - 1) + 1)
  return snapshot.keys('index', { gte: tuple(INDEX.deadline), lt: end, limit }).map((key) => {
    const [, dueAtMs, kind, id] = decodeTuple(key)
    if (kind === 'job') return { kind, id: decodeId('j', id), dueAtMs: Number(dueAtMs) }
    return { kind: 'execution', id: decodeId('e', id), dueAtMs: Number(dueAtMs) }
  })
}
