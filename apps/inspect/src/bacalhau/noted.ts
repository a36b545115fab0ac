import type { Note } from '@saltcod/bacalhau-records'

/** How often a note of a kind came, with the first ones. */
export interface NotedKind {
  readonly kind: Note['kind']
  readonly code: Note['code']
  readonly record: Note['record']
  readonly count: number
  readonly first: readonly Note[]
}

/** So many of a kind are shown. */
const SHOWN = 5

/** Counts notes by kind, keeps the first ones of each, and hands every one on. */
export class Noted {
  readonly #kinds = new Map<
    string,
    { kind: Note['kind']; code: Note['code']; record: Note['record']; count: number; first: Note[] }
  >()
  readonly #onNote: (note: Note) => void

  constructor(onNote: (note: Note) => void = () => {}) {
    this.#onNote = onNote
  }

  readonly tell = (note: Note): void => {
    const { kind, code, record } = note
    const name = `${kind} ${code} ${record}`
    const known = this.#kinds.get(name) ?? { kind, code, record, count: 0, first: [] }
    known.count += 1
    if (known.first.length < SHOWN) known.first.push(note)
    this.#kinds.set(name, known)
    this.#onNote(note)
  }

  get kinds(): readonly NotedKind[] {
    return [...this.#kinds.values()]
  }
}
