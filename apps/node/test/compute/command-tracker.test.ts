import { describe, expect, it } from 'vitest'
import { CommandTracker } from '../../src/compute/command-tracker.ts'

/** Collects the marks that a tracker yields until it is stopped. */
function collect(tracker: CommandTracker) {
  const marks: number[] = []
  const stop = new AbortController()
  const done = (async () => {
    for await (const { upToSequence } of tracker.marks(stop.signal, 1)) marks.push(upToSequence)
  })()
  return { marks, stop: () => stop.abort(), done }
}

function gate(): { readonly wait: () => Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { wait: async () => await opened, open }
}

describe('CommandTracker', () => {
  it('marks only up to the oldest command that is not done', async () => {
    const tracker = new CommandTracker(10)
    const slow = gate()
    const { marks, stop, done } = collect(tracker)
    tracker.begin(1, 'a', async () => {})
    tracker.begin(2, 'b', slow.wait)
    tracker.begin(5, 'c', async () => {})
    while (marks.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(marks.at(-1)).toBe(1)
    slow.open()
    await tracker.idle()
    stop()
    await done
    expect(marks.at(-1)).toBe(5)
  })

  it('keeps the order of commands of one execution', async () => {
    const tracker = new CommandTracker(10)
    const first = gate()
    const order: number[] = []
    tracker.begin(1, 'a', async () => {
      await first.wait()
      order.push(1)
    })
    tracker.begin(2, 'a', async () => {
      order.push(2)
    })
    tracker.begin(3, 'b', async () => {
      order.push(3)
      first.open()
    })
    await tracker.idle()
    expect(order).toEqual([3, 1, 2])
  })

  it('ends its marks where no more commands come', async () => {
    const tracker = new CommandTracker(10)
    const { done } = collect(tracker)
    tracker.breakOff(new Error('nothing can be fetched'))
    await done
    expect(() => {
      tracker.throwIfBroken()
    }).toThrow('nothing can be fetched')
  })

  it('marks nothing from a command on that could not be done, and says why', async () => {
    const tracker = new CommandTracker(10)
    const { marks, done } = collect(tracker)
    tracker.begin(1, 'a', async () => {})
    await tracker.idle()
    tracker.begin(2, 'a', () => Promise.reject(new Error('the store is gone')))
    tracker.begin(3, 'b', async () => {})
    await done
    expect(Math.max(0, ...marks)).toBeLessThan(2)
    expect(() => tracker.throwIfBroken()).toThrow('the store is gone')
  })

  it('counts anew in another round, and keeps the order of what is not done', async () => {
    const tracker = new CommandTracker(10)
    const slow = gate()
    const { marks, stop, done } = collect(tracker)
    const order: string[] = []
    tracker.begin(700, 'b', async () => {})
    tracker.begin(701, 'a', async () => {
      await slow.wait()
      order.push('old')
    })
    while (marks.length === 0) await new Promise((resolve) => setImmediate(resolve))
    tracker.renew(2)
    tracker.begin(3, 'a', async () => {
      order.push('new')
    })
    slow.open()
    await tracker.idle()
    stop()
    await done
    expect(order).toEqual(['old', 'new'])
    expect(marks).toEqual([700, 3])
  })

  it('has no capacity beyond its limit until something is done', async () => {
    const tracker = new CommandTracker(2)
    const slow = gate()
    tracker.begin(1, 'a', slow.wait)
    tracker.begin(2, 'b', slow.wait)
    let free = false
    const waiting = tracker.capacity().then(() => {
      free = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(free).toBe(false)
    slow.open()
    await waiting
    expect(free).toBe(true)
  })
})
