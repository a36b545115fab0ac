import { closeSync, readdirSync, readlinkSync } from 'node:fs'

/** The open files of this process, by descriptor, with what each leads to. */
function openFiles(): Map<number, string> {
  const open = new Map<number, string>()
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      open.set(Number(name), readlinkSync(`/proc/self/fd/${name}`))
    } catch {
      // The one through which this list was read.
    }
  }
  return open
}

/**
 * Knows what a runner has open of its own. Node's WASI leaves open what a guest had open (nodejs/node, `uvwasi` is
 * destroyed with its object, and that is never waited for), so it is closed here after each guest.
 */
export class Descriptors {
  readonly #own: ReadonlyMap<number, string> = openFiles()

  /**
   * Closes the files and directories that were opened since; false where something else is left, or something of its
   * own is missing.
   */
  closeOthers(): boolean {
    const open = openFiles()
    // The ordinary case of a guest that opened nothing, which one look is enough for.
    if (this.#isOwn(open)) return true
    for (const [descriptor, target] of open) {
      if (!this.#own.has(descriptor) && target.startsWith('/')) closeSync(descriptor)
    }
    return this.#isOwn(openFiles())
  }

  #isOwn(open: ReadonlyMap<number, string>): boolean {
    if (open.size !== this.#own.size) return false
    return [...this.#own].every(([descriptor, target]) => open.get(descriptor) === target)
  }
}
