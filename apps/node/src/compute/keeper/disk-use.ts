import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const SHORTEST_PAUSE_MS = 500
/** A look may take this share of the time. */
const SHARE = 20

/** Adds up the bytes of all files in a directory, following no links; what vanishes meanwhile counts as nothing. */
function bytesIn(directory: string): number {
  let bytes = 0
  const queue = [directory]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    try {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const inside = join(path, entry.name)
        if (entry.isDirectory()) queue.push(inside)
        else if (entry.isFile()) bytes += writtenBytes(inside)
      }
    } catch {
      // Removed or closed by the job while it is looked at; the next look sees what came of it.
    }
  }
  return bytes
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
  #nextAtMs = 0

  constructor(directory: string) {
    this.#directory = directory
    this.#initialBytes = bytesIn(directory)
  }

  /** Bytes that were added since the start; undefined when it is too early for another look. */
  look(): number | undefined {
    const startedAtMs = performance.now()
    if (startedAtMs < this.#nextAtMs) return undefined
    const added = bytesIn(this.#directory) - this.#initialBytes
    const tookMs = performance.now() - startedAtMs
    this.#nextAtMs = startedAtMs + Math.max(SHORTEST_PAUSE_MS, tookMs * SHARE)
    return added
  }
}
