import { expect, test } from 'vitest'
import { openMemoryKv } from '../../../store-memory/src/memory-kv.ts'
import { type KvStore, openJobStore, STORE_TABLES } from '../../src/backend.ts'
import type { HistoryEntry, JobStore, Json, Page, WholeJob } from '../../src/index.ts'

const HOUR_MS = 3_600_000

/** Lets so many writes through, and fails from then on as a process that died would leave things. */
function dyingAfter(kv: KvStore, writes: number): KvStore {
  let left = writes
  return new Proxy(kv, {
    get(target, property) {
      if (property !== 'write') {
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      }
      const write: KvStore['write'] = async (body, options) => {
        if (left === 0) throw new Error('the process died')
        left -= 1
        return await target.write(body, options)
      }
      return write
    },
  })
}

async function historyOf(store: JobStore, jobId: string): Promise<HistoryEntry[]> {
  const entries: HistoryEntry[] = []
  let cursor: string | null = null
  do {
    const page: Page<HistoryEntry> = await store.listHistory({ jobId, limit: 1_000, cursor })
    entries.push(...page.items)
    cursor = page.next
  } while (cursor !== null)
  return entries
}

test('an import that dies on the way leaves nothing that is seen, and nothing at all after an hour', async () => {
  const nowMs = Date.now()
  const clock = () => nowMs
  const source = await openJobStore(openMemoryKv({ tables: STORE_TABLES }), { clock })
  const { job } = await source.submitJob({ type: 'batch', spec: {}, evaluation: null })
  const jobId = job.id
  for (let n = 0; n < 600; n++) {
    const { id: executionId } = await source.createExecution({ jobId, nodeId: 'n-1' })
    await source.updateExecution({ executionId, to: 'Completed' })
  }
  await source.transitionJob({ jobId, to: 'Completed' })
  const whole: WholeJob<Json> = {
    versions: await source.listJobVersions(jobId),
    executions: (await source.listExecutions({ jobId, limit: 1_000 })).items,
    evaluations: [],
    history: await historyOf(source, jobId),
  }
  for (let writes = 1; writes < 50; writes++) {
    const kv = openMemoryKv({ tables: STORE_TABLES })
    const opened = await openJobStore(kv, { clock })
    // Every other process that dies has a clock that is ahead; what it leaves waits from the next opening on no longer
    // for that.
    const aheadMs = writes % 2 === 0 ? 24 * HOUR_MS : 0
    const ahead = { clock: () => nowMs + aheadMs }
    const dying = await openJobStore(dyingAfter(kv, writes), ahead).catch(() => null)
    const done = await dying?.importJob(whole).then(
      () => true,
      () => false,
    )
    if (done === true) {
      expect(writes).toBeGreaterThan(4)
      expect((await opened.getJob(jobId))?.state).toBe('Completed')
      return
    }
    expect(await opened.getJob(jobId)).toBe(null)
    expect((await opened.listExecutions({ states: ['Completed'] })).items).toEqual([])
    expect((await opened.check()).findings).toEqual([])
    while ((await opened.reclaim()).more);
    let laterMs = nowMs + 2 * HOUR_MS
    const later = await openJobStore(kv, { clock: () => laterMs })
    laterMs += HOUR_MS
    while ((await later.reclaim()).more);
    expect((await later.check()).findings).toEqual([])
    for (const table of ['jobs', 'specs', 'executions', 'history', 'reclaim']) {
      expect(kv.read((snapshot) => snapshot.keys(table, { limit: 10 }))).toEqual([])
    }
    await later.importJob(whole)
  }
  expect.unreachable('the import never came to its end')
})
