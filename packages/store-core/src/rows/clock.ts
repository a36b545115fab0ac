/** Tells the time in milliseconds since 1970. The only clock that the stores read is the one handed to them. */
export type Clock = () => number

/**
 * Returns a clock that tells whole milliseconds, as keys and lists by time need them: fractions are cut off. It throws
 * `TypeError` where the clock behind it gives no time.
 */
export function wholeMs(clock: Clock): Clock {
  return () => {
    const nowMs = Math.floor(clock())
    if (Number.isSafeInteger(nowMs) && nowMs >= 0) return nowMs
    throw new TypeError(`the clock tells ${String(nowMs)}, not the milliseconds since 1970`)
  }
}
