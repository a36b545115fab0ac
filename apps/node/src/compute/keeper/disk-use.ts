import { type Dir, lstatSync, opendirSync } from 'node:fs'
import { join } from 'node:path'

const SHORTEST_PAUSE_MS = 500
/** A look may take this share of the time. */
const SHARE = 20
/** A part of a look takes no longer, since all other runs wait for it. */
const SLICE_MS = 10
/** The clock is read after so many entries. */
const STRIDE = 64

/**
 * Adds up the bytes of all files in a directory, following no links; what vanishes meanwhile counts as nothing. Stops
 * after each entry, so that a tree of any size holds nobody up.
 */
function* bytesIn(directory: string): Generator<undefined, number, undefined> {
  let bytes = 0
  const queue = isDirectory(directory) ? [directory] : []
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    let opened: Dir | undefined
    try {
      opened = opendirSync(path)
      for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
        const inside = join(path, entry.name)
        if (entry.isDirectory()) queue.push(inside)
        else if (entry.isFile()) bytes += writtenBytes(inside)
        yield
      }
    } catch {
      // Removed or closed by the job while it is looked at; the next look sees what came of it.
    } finally {
      opened?.closeSync()
    }
  }
  return bytes
}

/** False for a link, which may lead to the root of the machine. */
function isDirectory(path: string): boolean {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

function writtenBytes(path: string): number {
  const status = lstatSync(path, { throwIfNoEntry: false })
  // A file with holes takes less room than its length, and a last block that is not full is none of the job's doing.
  return status === undefined ? 0 : Math.min(status.size, status.blocks * 512)
}

/** Watches how much a job has written below a directory, in looks that are rarer the longer they take. */
export class DiskUse {
  readonly #directory: string
  readonly #initialBytes: number
  #walk: Generator<undefined, number, undefined> | undefined
  #spentMs = 0
  #nextAtMs = 0

  constructor(directory: string) {
    this.#directory = directory
    const walk = bytesIn(directory)
    let step = walk.next()
    while (step.done !== true) step = walk.next()
    this.#initialBytes = step.value
  }

  /** True when a look has begun and is not complete. */
  get underWay(): boolean {
    return this.#walk !== undefined
  }

  /** Goes on with a look; returns the bytes that were added since the start when one is complete. */
  look(): number | undefined {
    const startedAtMs = performance.now()
    if (startedAtMs < this.#nextAtMs) return undefined
    this.#walk ??= bytesIn(this.#directory)
    for (let count = 1; ; count += 1) {
      const step = this.#walk.next()
      if (step.done === true) return this.#complete(step.value, startedAtMs)
      if (count % STRIDE === 0 && performance.now() - startedAtMs > SLICE_MS) break
    }
    this.#spentMs += performance.now() - startedAtMs
    return undefined
  }

  #complete(bytes: number, startedAtMs: number): number {
    const nowMs = performance.now()
    const tookMs = this.#spentMs + nowMs - startedAtMs
    this.#nextAtMs = nowMs + Math.max(SHORTEST_PAUSE_MS, tookMs * SHARE)
    this.#spentMs = 0
    this.#walk = undefined
    return bytes - this.#initialBytes
  }

  /** Gives up a look that is under way. */
  close(): void {
    this.#walk?.return(0)
    this.#walk = undefined
  }
}
