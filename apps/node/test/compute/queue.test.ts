import { describe, expect, it } from 'vitest'
import { CapacityLedger } from '../../src/capacity-ledger.ts'
import { type QueueEntry, RunQueue } from '../../src/compute/queue.ts'
import type { Capacity } from '../../src/link/link.ts'

const cpu = (amount: number): Capacity => ({ cpu: amount, memoryBytes: 0, diskBytes: 0, gpu: 0 })

/** A queue whose runs end when told. */
function setUp(total: Capacity, maxRunning = 100) {
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const ledger = new CapacityLedger(total)
  const queue = new RunQueue(ledger, maxRunning, async ({ executionId }) => {
    started.push(executionId)
    await new Promise<void>((resolve) => ends.set(executionId, resolve))
  })
  const add = (executionId: string, more: Partial<QueueEntry> = {}): void =>
    queue.add({ executionId, priority: 0, createdAtMs: 0, needs: cpu(1), ...more })
  const end = async (executionId: string): Promise<void> => {
    ends.get(executionId)?.()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return { queue, ledger, started, add, end }
}

describe('RunQueue', () => {
  it('serves nothing before it is opened', () => {
    const { queue, started, add } = setUp(cpu(1))
    add('a')
    expect(started).toEqual([])
    queue.open()
    expect(started).toEqual(['a'])
  })

  it('goes by priority, then by age', async () => {
    const { queue, started, add, end } = setUp(cpu(1))
    add('young', { createdAtMs: 2 })
    add('old', { createdAtMs: 1 })
    add('urgent', { priority: 5, createdAtMs: 3 })
    queue.open()
    await end('urgent')
    await end('old')
    expect(started).toEqual(['urgent', 'old', 'young'])
  })

  it('lets a small one past a large one that does not fit', async () => {
    const { queue, started, add, end } = setUp(cpu(2))
    queue.open()
    add('first')
    add('large', { needs: cpu(2) })
    add('small')
    expect(started).toEqual(['first', 'small'])
    await end('first')
    await end('small')
    expect(started).toEqual(['first', 'small', 'large'])
  })

  it('lets no more past one that waited for a hundred others', async () => {
    const { queue, started, add, end } = setUp(cpu(2))
    queue.open()
    add('blocker')
    add('large', { needs: cpu(2) })
    for (let n = 0; n < 100; n += 1) {
      add(`small-${n}`)
      await end(`small-${n}`)
    }
    expect(started).toHaveLength(101)
    add('late')
    expect(started).not.toContain('late')
    await end('blocker')
    expect(started.at(-1)).toBe('large')
    await end('large')
    expect(started.at(-1)).toBe('late')
  })

  it('never starts an execution that is in it, or running, a second time', async () => {
    const { queue, started, add, end } = setUp(cpu(1))
    add('a')
    add('a')
    queue.open()
    add('a')
    expect(started).toEqual(['a'])
    expect(queue.remove('a')).toBe(true)
    await end('a')
    expect(started).toEqual(['a'])
    expect(queue.length).toBe(0)
  })

  it('keeps to its number of runs whatever they need', async () => {
    const { queue, started, add, end } = setUp(cpu(1), 2)
    queue.open()
    for (const name of ['a', 'b', 'c']) add(name, { needs: cpu(0) })
    expect(started).toEqual(['a', 'b'])
    await end('a')
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('starts nothing more once closed', async () => {
    const { queue, started, add, end } = setUp(cpu(1))
    queue.open()
    add('a')
    add('b')
    queue.close()
    await end('a')
    expect(started).toEqual(['a'])
    expect(queue.length).toBe(1)
  })
})

describe('CapacityLedger', () => {
  it('comes out even after many fractions', () => {
    const ledger = new CapacityLedger(cpu(1))
    for (let n = 0; n < 1000; n += 1) {
      for (let part = 0; part < 10; part += 1) expect(ledger.take(`e${part}`, cpu(0.1))).toBe(true)
      expect(ledger.take('more', cpu(0.001))).toBe(false)
      for (let part = 0; part < 10; part += 1) ledger.release(`e${part}`)
    }
    expect(ledger.available()).toEqual(cpu(1))
  })

  it('names what the whole node has too little of', () => {
    const ledger = new CapacityLedger({ cpu: 2, memoryBytes: 100, diskBytes: 100, gpu: 0 })
    expect(ledger.lacking({ cpu: 2, memoryBytes: 101, diskBytes: 0, gpu: 1 })).toEqual(['memoryBytes', 'gpu'])
    expect(ledger.lacking({ cpu: 2, memoryBytes: 100, diskBytes: 100, gpu: 0 })).toEqual([])
  })

  it('gives nothing twice to the same execution', () => {
    const ledger = new CapacityLedger(cpu(2))
    expect(ledger.take('a', cpu(1))).toBe(true)
    expect(ledger.take('a', cpu(1))).toBe(false)
    ledger.release('a')
    ledger.release('a')
    expect(ledger.available()).toEqual(cpu(2))
  })

  it('begins nothing while it is held back, says so with what would be next, and goes on by itself', async () => {
    let reason: string | undefined = 'too little of something'
    const told: unknown[] = []
    const started: string[] = []
    const begin = (entry: QueueEntry): Promise<void> => {
      started.push(entry.executionId)
      return Promise.resolve()
    }
    const queue = new RunQueue(new CapacityLedger(cpu(1)), 10, begin, {
      reason: () => reason,
      tell: (why, ids) => told.push([why, ids]),
      tellStuck: () => undefined,
    })
    queue.open()
    queue.add({ executionId: 'a', priority: 0, createdAtMs: 0, needs: cpu(1) })
    queue.add({ executionId: 'b', priority: 0, createdAtMs: 1, needs: cpu(1) })
    expect(told).toEqual([['too little of something', ['a']]])
    expect([queue.held, queue.length, started.length]).toEqual([true, 2, 0])
    reason = undefined
    await expect.poll(() => started).toEqual(['a', 'b'])
    expect(queue.held).toBe(false)
    reason = 'again'
    queue.add({ executionId: 'c', priority: 0, createdAtMs: 2, needs: cpu(1) })
    queue.close()
    expect([queue.held, queue.length]).toEqual([false, 1])
  })

  it('asks what the machine has left only for what would begin', async () => {
    let asked = 0
    const ends: (() => void)[] = []
    const begin = (): Promise<void> => new Promise((resolve) => ends.push(resolve))
    const queue = new RunQueue(new CapacityLedger(cpu(1)), 10, begin, {
      reason: () => {
        asked += 1
        return undefined
      },
      tell: () => undefined,
      tellStuck: () => undefined,
    })
    queue.open()
    for (let number = 0; number < 50; number += 1)
      queue.add({ executionId: `e-${number}`, priority: 0, createdAtMs: number, needs: cpu(1) })
    expect(asked).toBe(1)
    ends[0]?.()
    await expect.poll(() => ends.length).toBe(2)
    expect(asked).toBe(2)
  })
})
