import { readFileSync } from 'node:fs'
import { DiskImage } from './disk-image.ts'
import { RecordedDirectory, type RecordedEntry } from './recorded-directory.ts'
import { RecordedFile, type Survival } from './recorded-file.ts'

/** What {@link PowerCutDisk.step} did. */
export interface RecordedStep {
  readonly what: string
  readonly names: readonly string[]
  /** The file or directory that it is about, by the name under which that was opened last; empty for none. */
  readonly path: string
  /** What the process said; empty for all else. */
  readonly said: string
}

/**
 * Carries out, step by step, what `recording-disk.c` has written down, and builds the directory as a power cut may
 * leave it: what was synced is there; of the rest, each write and each change of a name may be there or not.
 */
export class PowerCutDisk {
  readonly #record: Buffer
  readonly #byInode = new Map<string, RecordedEntry>()
  readonly #root = new RecordedDirectory()
  /** Entries of the directory as the process found it, whose inodes are not known yet. */
  readonly #unbound = new Set<RecordedEntry>()
  readonly #paths = new Map<string, string>()
  #at = 0

  /** Where the directory was not empty when the recording began, `found` is what was in it. */
  constructor(record: string, found: DiskImage = DiskImage.EMPTY) {
    this.#record = readFileSync(record)
    const directories = new Map<string, RecordedDirectory>([['', this.#root]])
    const enter = (path: string, entry: RecordedEntry): void => {
      const { parent, name } = split(path)
      directories.get(parent)?.change({ name, entry })
      this.#unbound.add(entry)
    }
    for (const path of found.directories) {
      const directory = new RecordedDirectory()
      directories.set(path, directory)
      enter(path, directory)
    }
    for (const [path, { content }] of found.files) enter(path, new RecordedFile('', content))
    for (const directory of directories.values()) directory.sync()
  }

  /** Where the next record begins. */
  get at(): number {
    return this.#at
  }

  /** Carries out the next record; returns `undefined` behind the last one. */
  step(): RecordedStep | undefined {
    const end = this.#record.indexOf(10, this.#at)
    if (end < 0) return undefined
    const [what = '', ...words] = this.#record.subarray(this.#at, end).toString().split(' ')
    const from = end + 1
    const payload = Number(what === 'say' ? words[0] : what === 'write' ? words[2] : 0)
    const bytes = this.#record.subarray(from, from + payload)
    if (bytes.length < payload) return undefined
    this.#at = from + payload
    if (what === 'say') return { what, names: [], path: '', said: bytes.toString() }
    this.#carryOut(what, words, bytes)
    const [first = '', second = ''] = words
    if (what === 'open') this.#paths.set(first, second)
    return { what, names: words, path: this.#paths.get(first) ?? first, said: '' }
  }

  /** Returns what is there when the power fails now. */
  image(survival: Survival): DiskImage {
    return DiskImage.of(this.#root, survival)
  }

  #carryOut(what: string, words: readonly string[], bytes: Buffer): void {
    const [first = '', second = '', , durable] = words
    if (what === 'open') this.#open(first, second)
    else if (what === 'write') this.#file(first)?.add({ at: Number(second), bytes, durable: durable === '1' })
    else if (what === 'truncate') this.#file(first)?.add({ at: Number(second), durable: false })
    else if (what === 'sync') this.#byInode.get(first)?.sync()
    else if (what === 'mkdir') this.#enter(first, new RecordedDirectory())
    else if (what === 'link') this.#enter(second, this.#find(first))
    else if (what === 'rename') this.#rename(first, second)
    else if (what === 'unlink') this.#directoryOf(first)?.change({ removed: split(first).name })
    else throw new Error(`The record says ${what}, which is not known.`)
  }

  #open(inode: string, path: string): void {
    const there = path === '.' ? this.#root : this.#find(path)
    if (there instanceof RecordedDirectory) {
      this.#byInode.set(inode, there)
    } else if (there !== undefined && this.#unbound.delete(there)) {
      there.inode = inode
      this.#byInode.set(inode, there)
    } else if (there === undefined || this.#byInode.get(inode) !== there) {
      const file = new RecordedFile(inode)
      this.#byInode.set(inode, file)
      this.#enter(path, file)
    }
  }

  #file(inode: string): RecordedFile | undefined {
    const entry = this.#byInode.get(inode)
    return entry instanceof RecordedFile ? entry : undefined
  }

  #enter(path: string, entry: RecordedEntry | undefined): void {
    if (entry !== undefined) this.#directoryOf(path)?.change({ name: split(path).name, entry })
  }

  #rename(from: string, to: string): void {
    const entry = this.#find(from)
    const [source, target] = [this.#directoryOf(from), this.#directoryOf(to)]
    if (entry === undefined || source === undefined || target === undefined) return
    const [removed, name] = [split(from).name, split(to).name]
    if (source === target) source.change({ removed, name, entry })
    else {
      target.change({ name, entry })
      source.change({ removed })
    }
  }

  #find(path: string): RecordedEntry | undefined {
    return this.#directoryOf(path)?.names.get(split(path).name)
  }

  #directoryOf(path: string): RecordedDirectory | undefined {
    let directory = this.#root
    for (const name of split(path)
      .parent.split('/')
      .filter((part) => part !== '')) {
      const entry = directory.names.get(name)
      if (!(entry instanceof RecordedDirectory)) return undefined
      directory = entry
    }
    return directory
  }
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/')
  return { parent: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) }
}
