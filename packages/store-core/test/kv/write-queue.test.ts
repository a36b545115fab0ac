import assert from 'node:assert/strict'

import { test, vi } from 'vitest'

import { StoreError } from '../../src/errors.ts'
import type { KvTransaction } from '../../src/kv/contract.ts'
import type { KvGroupWriter, KvWriteGroup } from '../../src/kv/write-group.ts'
import { KvWriteQueue, type KvWriteQueueOptions } from '../../src/kv/write-queue.ts'

/** Keeps nothing: what these tests look at is which body runs when, and what becomes of it. */
const NOWHERE: KvGroupWriter = {
  get: () => undefined,
  range: () => [],
  keys: () => [],
  put: () => undefined,
  remove: () => false,
  keep: () => undefined,
  undo: () => undefined,
}

interface Bench {
  readonly queue: KvWriteQueue
  readonly ran: string[]
  readonly failures: unknown[]
  /** The time that the queue is told; bodies move it on. */
  now: number
}

function bench(commit: KvWriteQueueOptions['commit'] = (group) => group.run(NOWHERE)): Bench {
  const failures: unknown[] = []
  const made = { ran: [] as string[], failures, now: 0 }
  const queue = new KvWriteQueue({
    location: 'here',
    tables: new Set(['alpha']),
    commit,
    failed: (cause) => void failures.push(cause),
    now: () => made.now,
  })
  return Object.assign(made, { queue })
}

function write(of: Bench, name: string, background = false, takesMs = 0): Promise<unknown> {
  const body = (): void => {
    of.now += takesMs
    of.ran.push(name)
  }
  return of.queue.submit(body, { background })
}

test('nothing runs in the turn in which it was submitted', async () => {
  const of = bench()
  void write(of, 'one')
  void write(of, 'two', true)
  await Promise.resolve()
  assert.deepEqual(of.ran, [])
  await of.queue.idle()
  assert.deepEqual(of.ran, ['one', 'two'])
})

test('background bodies have a quarter of the time while the foreground has no end, and all of it while nothing waits', async () => {
  const of = bench()
  const spent = { foreground: 0, background: 0 }
  const submit = (background: boolean, takesMs: number, goesOn: () => boolean): void => {
    const body = (): void => {
      of.now += takesMs
      spent[background ? 'background' : 'foreground'] += takesMs
      if (goesOn()) submit(background, takesMs, goesOn)
    }
    void of.queue.submit(body, { background })
  }
  let isBusy = true
  submit(false, 3, () => isBusy && of.queue.turns < 2_000)
  submit(true, 7, () => of.queue.turns < 2_500)
  while (of.queue.turns < 2_000) await new Promise((resolve) => setImmediate(resolve))
  isBusy = false
  const share = spent.background / (spent.background + spent.foreground)
  assert.ok(share > 0.2 && share < 0.3, `the share is ${share}`)
  const before = { ...spent }
  await of.queue.idle()
  assert.ok(spent.foreground - before.foreground <= 3)
  assert.ok(spent.background - before.background >= 490 * 7)
})

test('being idle comes after the last body, also of those that bodies submit', async () => {
  const of = bench()
  await of.queue.idle()
  const body = (): void => {
    of.ran.push('first')
    void write(of, 'second', true)
  }
  void of.queue.submit(body, {})
  await of.queue.idle()
  assert.deepEqual(of.ran, ['first', 'second'])
})

test('after a group that took long the loop goes round more often before the next one, and else once', async () => {
  const of = bench()
  const turnsUntil = async (done: Promise<unknown>): Promise<number> => {
    let isDone = false
    void done.then(() => {
      isDone = true
    })
    let turns = 0
    for (; !isDone; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    return turns
  }
  await write(of, 'long', false, 40)
  assert.ok((await turnsUntil(write(of, 'after it'))) >= 20)
  assert.ok((await turnsUntil(write(of, 'after a short one'))) < 5)
})

test('more bodies than one turn has time for keep their order', async () => {
  const of = bench()
  const ran: number[] = []
  const submit = (id: number): void => {
    const body = (): void => {
      of.now += 1
      ran.push(id)
      if (id === 5) submit(60)
    }
    void of.queue.submit(body, {})
  }
  for (let id = 0; id < 60; id += 1) submit(id)
  await of.queue.idle()
  assert.deepEqual(
    ran,
    Array.from({ length: 61 }, (_, id) => id),
  )
  assert.ok(of.queue.turns > 1)
})

test('the fake timers of a test do not stop the queue', async () => {
  vi.useFakeTimers()
  try {
    const of = bench()
    void write(of, 'one')
    await of.queue.idle()
    assert.deepEqual(of.ran, ['one'])
  } finally {
    vi.useRealTimers()
  }
})

test('a group that is refused refuses all its bodies, runs none again, and lets the next be tried alone', async () => {
  const full = new StoreError('STORE_FULL', 'no room')
  const sizes: number[] = []
  let room = false
  const of = bench((group) => {
    group.run(NOWHERE)
    sizes.push(group.size)
    if (!room) group.refuse(full)
  })
  const failing = (_: KvTransaction): void => {
    of.ran.push('two')
    throw new Error('on purpose')
  }
  const refused = [write(of, 'one'), of.queue.submit(failing, {}), write(of, 'three')]
  for (const outcome of refused) await assert.rejects(outcome, (error) => error === full)
  const alone = [write(of, 'four'), write(of, 'five')]
  await assert.rejects(alone[0] ?? Promise.resolve(), (error) => error === full)
  room = true
  await alone[1]
  await Promise.all([write(of, 'six'), write(of, 'seven')])
  assert.deepEqual(sizes, [3, 1, 1, 2])
  assert.deepEqual(of.ran, ['one', 'two', 'three', 'four', 'five', 'six', 'seven'])
  assert.deepEqual(of.failures, [])
})

test.each([
  ['before its bodies have run', 'STORE_FAILED', () => undefined],
  ['afterwards', 'OUTCOME_UNKNOWN', (group: KvWriteGroup) => group.run(NOWHERE)],
] as const)(
  'a commit that throws %s rejects them with %s, and all that waits with STORE_FAILED',
  async (_, code, run) => {
    const cause = new Error('the disk')
    const of = bench((group) => {
      run(group)
      if (code === 'STORE_FAILED') group.run({ ...NOWHERE, put: refuse, undo: refuse })
      throw cause
    })
    const put = (transaction: KvTransaction): void => {
      transaction.put('alpha', Buffer.from('key'), Buffer.alloc(1))
    }
    const own = of.queue.submit(put, {})
    const waiting = of.queue.submit(put, { background: true })
    await assert.rejects(own, { code })
    await assert.rejects(waiting, { code: 'STORE_FAILED' })
    assert.equal(of.failures.length, 1)
  },
)

function refuse(): never {
  throw new Error('the page')
}

test('while it is held nothing runs, and a rest follows each group while it is slowed down', async () => {
  const of = bench()
  await of.queue.hold()
  const first = write(of, 'one')
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(of.ran, [])
  of.queue.release()
  await first
  of.queue.slowDown(2)
  await write(of, 'two', false, 1)
  await write(of, 'three')
  assert.deepEqual(of.ran, ['one', 'two', 'three'])
})

test('while a commit is under way no other group begins, and nothing of it is delivered', async () => {
  const commits = [settled(), settled()]
  let begun = 0
  const of = bench((group) => {
    group.run(NOWHERE)
    return commits[begun++]?.promise
  })
  const delivered: string[] = []
  const deliver = (name: string) => write(of, name).then(() => delivered.push(name))
  const first = deliver('one')
  await untilRan(of, 1)
  const second = deliver('two')
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([of.ran, delivered], [['one'], []])
  commits[0]?.resolve()
  await first
  await untilRan(of, 2)
  assert.deepEqual([of.ran, delivered], [['one', 'two'], ['one']])

  let isHeld = false
  const held = of.queue.hold().then(() => {
    isHeld = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isHeld, false)
  commits[1]?.resolve()
  await Promise.all([second, held, of.queue.idle()])
  assert.deepEqual(delivered, ['one', 'two'])
})

test('a commit that is rejected later refuses its group as one whose outcome nobody knows, and all that waits', async () => {
  const commit = settled()
  const of = bench((group) => {
    group.run(NOWHERE)
    return commit.promise
  })
  const first = write(of, 'one')
  await untilRan(of, 1)
  const second = write(of, 'two')
  const cause = new Error('on purpose')
  commit.reject(cause)
  await assert.rejects(first, { code: 'OUTCOME_UNKNOWN' })
  await assert.rejects(second, { code: 'STORE_FAILED' })
  assert.deepEqual([of.ran, of.failures], [['one'], [cause]])
  await of.queue.idle()
})

/** A promise, and what settles it. */
function settled() {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((resolved, rejected) => {
    resolve = resolved
    reject = rejected
  })
  return { promise, resolve, reject }
}

async function untilRan(of: Bench, count: number): Promise<void> {
  while (of.ran.length < count) await new Promise((resolve) => setImmediate(resolve))
}
