import { readFileSync } from 'node:fs'

/** One change of a file that may not have reached the disk yet. */
interface FileChange {
  readonly at: number
  /** Absent where the file was cut off there. */
  readonly bytes?: Buffer
  /** Written through a descriptor that waits for the disk. */
  readonly durable: boolean
}

interface RecordedFile {
  durable: Buffer
  pending: FileChange[]
}

/** One change of the directory that may not have reached the disk yet. */
interface NameChange {
  readonly removed: string | undefined
  readonly name: string | undefined
  readonly file: RecordedFile | undefined
}

/** What {@link PowerCutDisk.step} did. */
export interface RecordedStep {
  readonly what: string
  readonly names: readonly string[]
  /** What the process said; empty for all else. */
  readonly said: string
}

/** Tells whether something that was not synced reaches the disk all the same. */
export type Survives = () => boolean

/**
 * Carries out, step by step, what `recording-disk.c` has written down, and builds the directory as a power cut may
 * leave it: what was synced is there; of the rest, each write and each change of a name may be there or not.
 */
export class PowerCutDisk {
  readonly #record: Buffer
  readonly #byInode = new Map<string, RecordedFile | 'directory'>()
  readonly #names = new Map<string, RecordedFile>()
  #durableNames = new Map<string, RecordedFile>()
  #pendingNames: NameChange[] = []
  #at = 0

  constructor(path: string) {
    this.#record = readFileSync(path)
  }

  /** Carries out the next record; returns `undefined` behind the last one. */
  step(): RecordedStep | undefined {
    const end = this.#record.indexOf(10, this.#at)
    if (end < 0) return undefined
    const [what = '', ...words] = this.#record.subarray(this.#at, end).toString().split(' ')
    this.#at = end + 1
    const payload = Number(what === 'say' ? words[0] : what === 'write' ? words[2] : 0)
    const bytes = this.#record.subarray(this.#at, this.#at + payload)
    this.#at += payload
    if (bytes.length < payload) return undefined
    if (what === 'say') return { what, names: [], said: bytes.toString() }
    this.#carryOut(what, words, bytes)
    return { what, names: words, said: '' }
  }

  /** Returns the files by name. */
  image(survives: Survives): Map<string, Buffer> {
    const names = new Map(this.#durableNames)
    for (const change of this.#pendingNames) if (survives()) applyName(names, change)
    return new Map([...names].map(([name, file]) => [name, contentOf(file, survives)]))
  }

  #carryOut(what: string, words: readonly string[], bytes: Buffer): void {
    const [first = '', second = '', , durable] = words
    if (what === 'open') this.#open(first, second)
    else if (what === 'write') this.#change(first, { at: Number(second), bytes, durable: durable === '1' })
    else if (what === 'truncate') this.#change(first, { at: Number(second), durable: false })
    else if (what === 'sync') this.#sync(first)
    else if (what === 'link') this.#rename({ removed: undefined, name: second, file: this.#names.get(first) })
    else if (what === 'rename') this.#rename({ removed: first, name: second, file: this.#names.get(first) })
    else if (what === 'unlink') this.#rename({ removed: first, name: undefined, file: undefined })
    else throw new Error(`The record says ${what}, which is not known.`)
  }

  #open(inode: string, name: string): void {
    if (name === '.') {
      this.#byInode.set(inode, 'directory')
      return
    }
    const known = this.#names.get(name)
    if (known !== undefined && this.#byInode.get(inode) === known) return
    const file: RecordedFile = { durable: Buffer.alloc(0), pending: [] }
    this.#byInode.set(inode, file)
    this.#rename({ removed: undefined, name, file })
  }

  #change(inode: string, change: FileChange): void {
    const file = this.#byInode.get(inode)
    if (file !== undefined && file !== 'directory') file.pending.push(change)
  }

  #sync(inode: string): void {
    const file = this.#byInode.get(inode)
    if (file === 'directory') {
      this.#durableNames = new Map(this.#names)
      this.#pendingNames = []
    } else if (file !== undefined) {
      file.durable = contentOf(file, () => true)
      file.pending = []
    }
  }

  #rename(change: NameChange): void {
    applyName(this.#names, change)
    this.#pendingNames.push(change)
  }
}

function applyName(names: Map<string, RecordedFile>, { removed, name, file }: NameChange): void {
  if (removed !== undefined) names.delete(removed)
  if (name !== undefined && file !== undefined) names.set(name, file)
}

function contentOf({ durable, pending }: RecordedFile, survives: Survives): Buffer {
  const kept = pending.filter((change) => change.durable || survives())
  const ends = kept.map(({ at, bytes }) => at + (bytes?.length ?? 0))
  const content = Buffer.alloc(Math.max(durable.length, ...ends))
  durable.copy(content)
  let length = durable.length
  for (const { at, bytes } of kept) {
    if (bytes === undefined) {
      content.fill(0, Math.min(at, length), length)
      length = at
    } else {
      bytes.copy(content, at)
      length = Math.max(length, at + bytes.length)
    }
  }
  return content.subarray(0, length)
}
