import type { ExecutionStore } from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { expect, onTestFinished, test } from 'vitest'

import { applyRecovery, planRecovery, recoveryPolicy } from '../src/index.ts'

/** An interface has no index signature; the compiler must take it for a specification all the same. */
interface Picture {
  readonly file: string
  readonly frame?: Picture
}

async function open(): Promise<ExecutionStore<Picture>> {
  const store = await openMemoryExecutionStore<Picture>()
  onTestFinished(() => store.close())
  return store
}

test('options of recovery that there are not are refused with the nearest one', async () => {
  const store = await open()
  const rule = { state: 'Created', olderThanMs: 1, action: 'fail' } as const
  for (const [options, message] of [
    [{ keepFor: 1 }, 'recoveryPolicy: unknown key keepFor; did you mean keepForMs?'],
    [{ ageRules: [{ ...rule, jobTypes: 'batch' }] }, 'unknown key jobTypes; did you mean jobType?'],
    [{ cells: { Running: { batch: { action: 'fail', raeson: '' } } } }, 'Running/batch: unknown key raeson'],
  ] as const) {
    expect(() => recoveryPolicy(options as never)).toThrow(message)
  }
  const planning = planRecovery(store, recoveryPolicy(), { pagesize: 5 } as never)
  await expect(planning.next()).rejects.toThrow('unknown key pagesize; did you mean pageSize?')
  await expect(applyRecovery(store, [], { onaplied: () => undefined } as never)).rejects.toThrow(
    'unknown key onaplied; did you mean onApplied?',
  )
})

test('a store whose specification is an interface recovers as any other', async () => {
  const store = await open()
  const job = { id: 'j', version: 1, namespace: 'default', name: 'p', type: 'batch', priority: 0 } as const
  await store.createExecution({ id: 'e', job: { ...job, spec: { file: 'cat.png' } }, requesterId: 'r' })
  const summary = await applyRecovery(store, planRecovery(store, recoveryPolicy()))
  expect(summary.actions.admit).toBe(1)
})
