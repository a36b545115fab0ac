import { readFileSync } from 'node:fs'

const LOOK_MS = 100

/** The resident memory of a node and of its keeper: before, at most, and after. */
export class PeakMemory {
  #parts
  #timer

  /** Looks from now on. */
  constructor(nodePid) {
    const keeperPid = childrenOf(nodePid).find((pid) => commandOf(pid).startsWith('saltcod-keeper'))
    this.#parts = Object.entries({ node: nodePid, keeper: keeperPid }).map(([name, pid]) => {
      const before = residentBytes(pid)
      return { name, pid, before, most: before }
    })
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  #look() {
    for (const part of this.#parts) part.most = Math.max(part.most, residentBytes(part.pid))
  }

  /** What comes from now on is after. */
  rest() {
    clearInterval(this.#timer)
    this.#look()
  }

  end() {
    return Object.fromEntries(
      this.#parts.map(({ name, pid, before, most }) => [name, { before, most, after: residentBytes(pid) }]),
    )
  }
}

function residentBytes(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
}

function commandOf(pid) {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
}
