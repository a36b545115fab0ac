import assert from 'node:assert/strict'

import { test, vi } from 'vitest'

import { WriteQueue } from '../src/write-queue.ts'

/** Pushes foreground requests without an end: each one queues the next, until a condition holds. */
function keepQueued(queue: WriteQueue, ran: string[], isOver: () => boolean): void {
  queue.push(() => {
    ran.push('foreground')
    if (!isOver()) keepQueued(queue, ran, isOver)
  }, false)
}

test('nothing runs in the turn in which it was pushed', async () => {
  const queue = new WriteQueue()
  const ran: string[] = []
  queue.push(() => ran.push('one'), false)
  queue.push(() => ran.push('two'), true)
  await Promise.resolve()
  assert.deepEqual(ran, [])
  await queue.idle()
  assert.deepEqual(ran, ['one', 'two'])
})

test('background requests get every fourth turn while the foreground has no end', async () => {
  const queue = new WriteQueue()
  const ran: string[] = []
  const background = (): number => ran.filter((name) => name === 'background').length
  for (let id = 0; id < 3; id += 1) queue.push(() => ran.push('background'), true)
  keepQueued(queue, ran, () => background() === 3)
  await queue.idle()
  const turn = ['foreground', 'foreground', 'foreground', 'background']
  assert.deepEqual(ran, [...turn, ...turn, ...turn, 'foreground'])
})

test('being idle comes after the last request, also of those that requests push', async () => {
  const queue = new WriteQueue()
  const ran: string[] = []
  await queue.idle()
  queue.push(() => {
    ran.push('first')
    queue.push(() => ran.push('second'), true)
  }, false)
  await queue.idle()
  assert.deepEqual(ran, ['first', 'second'])
})

test('more requests than one turn has time for keep their order', async () => {
  const queue = new WriteQueue()
  const ran: number[] = []
  const spin = (): void => {
    const endsAt = performance.now() + 1
    while (performance.now() < endsAt);
  }
  for (let id = 0; id < 60; id += 1) {
    queue.push(() => {
      spin()
      ran.push(id)
      if (id === 5) queue.push(() => ran.push(60), false)
    }, false)
  }
  await queue.idle()
  assert.deepEqual(
    ran,
    Array.from({ length: 61 }, (_, id) => id),
  )
})

test('the fake timers of a test do not stop the queue', async () => {
  vi.useFakeTimers()
  try {
    const queue = new WriteQueue()
    let ran = false
    queue.push(() => {
      ran = true
    }, false)
    await queue.idle()
    assert.equal(ran, true)
  } finally {
    vi.useRealTimers()
  }
})
