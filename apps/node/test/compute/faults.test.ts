import { type ExecutionStore, StoreError, type StoreErrorCode } from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { describe, expect, it } from 'vitest'
import { until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { Link } from '../../src/link/link.ts'
import { jobOf, shellJob, startComputeSide } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

/** Lets every `each`th call of some methods fail; with `late`, only after it was carried out. */
function failing<T extends object>(
  target: T,
  methods: readonly string[],
  each: number,
  error: () => Error,
  late = false,
): { readonly target: T; readonly failures: () => number } {
  let calls = 0
  let failures = 0
  const proxy = new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(object, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        const counts = methods.includes(String(name))
        if (counts) calls += 1
        const fails = counts && calls % each === 0
        if (fails) failures += 1
        if (fails && !late) throw error()
        const answer: unknown = await Reflect.apply(value, object, args)
        if (fails) throw error()
        return answer
      }
    },
  })
  return { target: proxy, failures: () => failures }
}

async function complete(store: ExecutionStore, link: Link, requester: TestRequester): Promise<void> {
  await startComputeSide({ store, link, dataDir: temporaryDirectory() })
  const ids = Array.from({ length: 6 }, (_, n) => `e-${n}`)
  for (const id of ids) requester.ask(id, jobOf('noop', {}))
  await until(
    () => ids.map((id) => requester.known(id).state),
    (states) => states.every((state) => state === 'Completed'),
  )
  await until(
    () => requester.pendingCommands,
    (pending) => pending === 0,
  )
  for (const { attempt, revision } of (await store.listExecutions()).items) {
    expect(attempt).toBe(1)
    // Created, accepted, running, completed: nothing was written twice.
    expect(revision).toBe(4)
  }
}

describe('a store that refuses writes for a while', () => {
  it.each<[StoreErrorCode, boolean]>([
    ['STORE_FULL', false],
    ['OUTCOME_UNKNOWN', false],
    ['OUTCOME_UNKNOWN', true],
  ])('delays the work and loses none: %s, carried out: %s', async (code, late) => {
    const store = await openMemoryExecutionStore()
    const methods = ['createExecution', 'updateExecution']
    const { target, failures } = failing(store, methods, 3, () => new StoreError(code, 'not now'), late)
    const requester = new TestRequester()
    await complete(target, requester, requester)
    expect(failures()).toBeGreaterThan(5)
  })

  it('does not keep a node from stopping', async () => {
    const store = await openMemoryExecutionStore()
    let full = false
    const methods = ['updateExecution']
    const error = (): Error => new StoreError('STORE_FULL', 'the disk is full')
    const refusing = failing(store, methods, 1, error).target
    const choice = new Proxy(store, {
      get: (_object, name) => {
        const source = full ? refusing : store
        const value: unknown = Reflect.get(source, name)
        return typeof value === 'function' ? value.bind(source) : value
      },
    })
    const requester = new TestRequester()
    const side = await startComputeSide({ store: choice, link: requester, dataDir: temporaryDirectory() })
    requester.ask('e-1', shellJob('sleep 0.1'))
    await until(
      () => requester.known('e-1').state,
      (state) => state === 'Running',
    )
    full = true
    await side.stop(500)
    expect((await store.getExecution('e-1'))?.state).toBe('Running')
  })
})

describe('a link that breaks now and then', () => {
  it.each([false, true])('delays the work and loses none; what was said arrives twice: %s', async (late) => {
    const store = await openMemoryExecutionStore()
    const requester = new TestRequester()
    const methods = ['poll', 'acknowledge', 'report', 'handshake']
    const { target, failures } = failing<Link>(
      requester,
      methods,
      2,
      () => new Error('the line is down'),
      late,
    )
    await complete(store, target, requester)
    expect(failures()).toBeGreaterThan(2)
  })
})
