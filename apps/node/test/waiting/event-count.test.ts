import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { EventCount } from '../../src/waiting/event-count.ts'

test('who took the count before looking misses nothing that happens before the wait', async () => {
  const changes = new EventCount()
  const seen = changes.count
  changes.advance()
  await changes.wait(seen)
  expect(changes.count).toBe(1)
})

test('everybody who waits is woken, and by an abort too; nothing stays behind', async () => {
  const changes = new EventCount()
  const stop = new AbortController()
  const woken: string[] = []
  const waits = ['first', 'second'].map((name) => changes.wait(0).then(() => woken.push(name)))
  const stopped = changes.wait(0, { maxMs: 2 ** 40, signal: stop.signal }).then(() => woken.push('stopped'))
  stop.abort()
  await stopped
  expect(woken).toEqual(['stopped'])
  changes.advance()
  await Promise.all(waits)
  expect(woken).toEqual(['stopped', 'first', 'second'])
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
})

test('a wait is over after its time, and at once where the signal has aborted', async () => {
  const changes = new EventCount()
  await changes.wait(0, { maxMs: 1 })
  await changes.wait(0, { signal: AbortSignal.abort() })
  expect(changes.count).toBe(0)
})
