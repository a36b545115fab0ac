import type { Note, Tell } from '@saltcod/bacalhau-records'
import { countOf, printable, type Terminal } from '@saltcod/cli-kit'
import { Noted } from './noted.ts'

/** So many are known again: in a file with more of them they may be counted more than once. */
const KNOWN = 20_000

/** Tells on standard error what of the records that were shown could not be shown as it is, each kind once. */
export class NotedOnce {
  readonly #terminal: Terminal
  readonly #known = new Set<string>()
  #noted = new Noted()
  /** Records that could not be read. */
  leftOut = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  readonly tell: Tell = (note: Note) => {
    const key = `${note.code} ${note.place} ${note.message}`
    if (this.#known.has(key)) return
    if (this.#known.size < KNOWN) this.#known.add(key)
    if (note.kind === 'left-out') this.leftOut += 1
    this.#noted.tell(note)
  }

  /** Prints what has come since the last time. */
  flush(): void {
    for (const { kind, code, record, count, first } of this.#noted.kinds) {
      const word = kind === 'left-out' ? 'Warning' : 'Note'
      const [one] = first
      const example = one === undefined ? '' : `${count > 1 ? 'the first ' : ''}${one.place}: ${one.message}`
      this.#terminal.err(
        `${word}: ${kind} (${code}) of ${recordsText(count, record)}: ${printable(example)}\n`,
      )
    }
    this.#noted = new Noted()
  }
}

function recordsText(count: number, record: Note['record']): string {
  if (record !== 'history') return countOf(count, record)
  return count === 1 ? '1 entry of a history' : `${count} entries of histories`
}
