import assert from 'node:assert/strict'

import type { DurableStore, RecordKind } from '@saltcod/store-core'

/** A record as the counters know it. */
export interface CountedRecord {
  readonly kind: RecordKind
  readonly namespace: string
  readonly state: string
}

/** Asserts that the integrity check finds nothing and that the counters agree with the records. */
export async function assertSound(store: DurableStore, records: readonly CountedRecord[]): Promise<void> {
  const { findings, truncated } = await store.check()
  assert.deepEqual(findings, [], 'the integrity check found something')
  assert.equal(truncated, false)
  const expected = new Map<string, number>()
  for (const { kind, namespace, state } of records) {
    const name = JSON.stringify([kind, namespace, state])
    expected.set(name, (expected.get(name) ?? 0) + 1)
  }
  const counts = await store.counts()
  assert.deepEqual(
    counts
      .map(({ kind, namespace, state, records: number }) => [
        JSON.stringify([kind, namespace, state]),
        number,
      ])
      .sort(),
    [...expected].sort(),
    'the counters differ from the records',
  )
  for (const count of counts) assert.ok(count.bytes > 0, `${count.kind} ${count.state} counts no bytes`)
}
