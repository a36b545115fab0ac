import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { JoinedSignal } from '../../src/waiting/joined-signal.ts'

test('it aborts with the first of its sources, also with one that has', () => {
  const [first, second] = [new AbortController(), new AbortController()]
  const joined = new JoinedSignal(first.signal, second.signal)
  expect(joined.signal.aborted).toBe(false)
  second.abort()
  expect(joined.signal.aborted).toBe(true)
  expect(new JoinedSignal(first.signal, second.signal).signal.aborted).toBe(true)
})

test('once it is released nothing of it is left in its sources', () => {
  const source = new AbortController()
  const joined = new JoinedSignal(source.signal)
  joined.release()
  expect(getEventListeners(source.signal, 'abort')).toEqual([])
  source.abort()
  expect(joined.signal.aborted).toBe(false)
})
