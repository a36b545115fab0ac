/**
 * Lets `callers` loops call `work` one call after the other until the time is over or `work` resolves with
 * false. Returns how many calls were done in a second.
 */
export async function callsPerSecond(callers, seconds, work) {
  const start = performance.now()
  const end = start + seconds * 1_000
  let count = 0
  async function loop(caller) {
    while (performance.now() < end) {
      if ((await work(caller)) === false) return
      count += 1
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)))
  return (count * 1_000) / (performance.now() - start)
}

/** Carries out `work` `count` times, at most `callers` at a time; for preparing, not for measuring. */
export async function repeat(count, callers, work) {
  let next = 0
  async function loop() {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: callers }, loop))
}

/**
 * Hands prepared records to callers: each takes one and brings it through all steps before the next.
 * `next(caller)` returns `{ record, step }`, or `null` where no record is left.
 */
export function walk(records, steps) {
  const current = new Map()
  return {
    next(caller) {
      let at = current.get(caller)
      if (at === undefined || at.step === steps) {
        const record = records.pop()
        if (record === undefined) return null
        at = { record, step: 0 }
        current.set(caller, at)
      }
      at.step += 1
      return { record: at.record, step: at.step - 1 }
    },
  }
}
