import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { retry } from '../../src/waiting/retry.ts'

const soon = { firstWaitMs: 1, longestWaitMs: 2 }

test('it goes on through every failure, a programming mistake too, and hears of each', async () => {
  const { signal } = new AbortController()
  const failures = [new TypeError('of undefined'), new Error('busy')]
  const heard: unknown[] = []
  let attempts = 0
  const attempt = async (): Promise<string> => {
    const failure = failures[attempts]
    attempts += 1
    if (failure !== undefined) throw failure
    return 'done'
  }
  const onFailure = (error: unknown): void => void heard.push(error)
  expect(await retry(attempt, { ...soon, signal, onFailure })).toBe('done')
  expect(heard).toEqual(failures)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('a final failure is thrown as it is, and nobody is told that more follows', async () => {
  const { signal } = new AbortController()
  const gone = new Error('gone')
  const heard: unknown[] = []
  const retried = retry(() => Promise.reject(gone), {
    ...soon,
    signal,
    isFinal: (error) => error === gone,
    onFailure: (error) => void heard.push(error),
  })
  await expect(retried).rejects.toBe(gone)
  expect(heard).toEqual([])
})

test('an abort ends the waiting with the reason of the signal', async () => {
  const stop = new AbortController()
  const reason = new Error('stopped')
  const retried = retry(() => Promise.reject(new Error('busy')), {
    signal: stop.signal,
    firstWaitMs: 3_600_000,
    longestWaitMs: 3_600_000,
    onFailure: () => stop.abort(reason),
  })
  await expect(retried).rejects.toBe(reason)
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
})

test('an attempt that succeeds as the signal aborts has succeeded, and one is made after an abort too', async () => {
  const stop = new AbortController()
  const attempt = async (): Promise<number> => {
    stop.abort()
    return 1
  }
  const onFailure = (): void => expect.unreachable()
  expect(await retry(attempt, { signal: stop.signal, onFailure })).toBe(1)
  expect(await retry(attempt, { signal: stop.signal, onFailure })).toBe(1)
})
