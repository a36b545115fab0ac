import type { RecordedFile, Survival } from './recorded-file.ts'

/** What a name in a directory stands for. */
export type RecordedEntry = RecordedFile | RecordedDirectory

/** One change of names that may not have reached the disk yet. */
interface NameChange {
  readonly removed?: string
  readonly name?: string
  readonly entry?: RecordedEntry
}

/** The names in a directory: those on disk for certain, and the changes that may be. */
export class RecordedDirectory {
  /** The names as a process sees them. */
  readonly names: Map<string, RecordedEntry> = new Map()
  #durable = new Map<string, RecordedEntry>()
  #pending: NameChange[] = []

  change(change: NameChange): void {
    apply(this.names, change)
    this.#pending.push(change)
  }

  sync(): void {
    this.#durable = new Map(this.names)
    this.#pending = []
  }

  /** Returns the names that are there after a power cut. */
  surviving(survival: Survival): Map<string, RecordedEntry> {
    const names = new Map(this.#durable)
    for (const change of this.#pending) if (survival.change()) apply(names, change)
    return names
  }
}

function apply(names: Map<string, RecordedEntry>, { removed, name, entry }: NameChange): void {
  if (removed !== undefined) names.delete(removed)
  if (name !== undefined && entry !== undefined) names.set(name, entry)
}
