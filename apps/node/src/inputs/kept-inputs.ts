import { createHash } from 'node:crypto'
import { type BigIntStats, constants, lstatSync } from 'node:fs'
import { copyFile, lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeFreshDirectory } from '../compute/files/directories.ts'
import { removeTree } from '../compute/files/remove-tree.ts'

/** How much is kept, and for how long. */
export interface KeptInputsOptions {
  /** The most that all trees may hold which nobody uses. */
  readonly maxBytes: number
  /** The most files and directories of one tree, each of which is looked at before every use. */
  readonly maxEntries: number
  /** The most trees that nobody uses. */
  readonly maxIdle: number
  /** A tree that nobody used for so long is removed. */
  readonly idleMs: number
}

const MOST_SEEN = 4_096
/** Longer than the time of the kernel's clock that files are stamped with takes for a step. */
const CLOCK_TICK_MS = 20

/** 256 MiB in 256 trees of up to 64 entries, for ten minutes. */
export const KEPT_INPUTS: KeptInputsOptions = {
  maxBytes: 256 * 1024 * 1024,
  maxEntries: 64,
  maxIdle: 256,
  idleMs: 600_000,
}

/** How a directory is filled. */
export interface Maker<Made> {
  /** Fills an empty directory. */
  make(directory: string): Promise<Made>
  /** Reads all of it again, and tells whether it is what was to be there. */
  holds(made: Made): Promise<boolean>
}

/** A directory whose content nobody changes, for as long as it is not released. */
export interface KeptTree<Made> {
  readonly directory: string
  /** What whoever made it says of it. */
  readonly made: Made
  /** Copies it to a path where nothing is, as a clone where the file system has such. */
  copyTo(destination: string): Promise<void>
  release(): void
}

interface Entry {
  /** Below the directory; empty for itself. */
  readonly name: string
  readonly isDirectory: boolean
  readonly identity: string
}

class Tree<Made> {
  readonly key: string
  readonly directory: string
  readonly making: Promise<Made>
  bytes = 0
  uses = 0
  lastUsedMs = performance.now()
  /** What it consists of, as it was made; undefined where it is not to be kept. */
  entries: readonly Entry[] | undefined

  constructor(key: string, directory: string, maker: Maker<Made>, options: KeptInputsOptions) {
    this.key = key
    this.directory = directory
    this.making = this.#make(maker, options)
  }

  async #make({ make, holds }: Maker<Made>, options: KeptInputsOptions): Promise<Made> {
    await makeFreshDirectory(this.directory)
    const made = await make(this.directory)
    const entries = await this.#list(options)
    if (entries === undefined) return made
    // Whatever is written after the look at the content must have another time than what was noted.
    await delay(CLOCK_TICK_MS)
    if (await holds(made)) this.entries = entries
    return made
  }

  /** What is there now; undefined where that is too much. */
  async #list({ maxEntries, maxBytes }: KeptInputsOptions): Promise<readonly Entry[] | undefined> {
    const entries: Entry[] = []
    const queue = ['']
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (entries.length === maxEntries) return undefined
      const path = join(this.directory, name)
      const status = await lstat(path, { bigint: true })
      const isDirectory = status.isDirectory()
      entries.push({ name, isDirectory, identity: identityOf(status) })
      if (isDirectory) for (const inside of await readdir(path)) queue.push(join(name, inside))
      else this.bytes += Number(status.size)
    }
    return this.bytes <= maxBytes / 2 ? entries : undefined
  }

  /**
   * Tells whether it is what was made. Whatever is written, renamed or linked in it leaves another time of change
   * behind, which no program sets.
   */
  get whole(): boolean {
    try {
      return (
        this.entries?.every(
          ({ name, identity }) =>
            identityOf(lstatSync(join(this.directory, name), { bigint: true })) === identity,
        ) ?? false
      )
    } catch {
      return false
    }
  }

  async copyTo(destination: string): Promise<void> {
    for (const { name, isDirectory } of this.entries ?? []) {
      const [from, to] = [join(this.directory, name), join(destination, name)]
      if (isDirectory) await mkdir(to, { mode: name === '' ? 0o700 : 0o755 })
      else await copyFile(from, to, constants.COPYFILE_FICLONE)
    }
  }
}

function identityOf({ dev, ino, mode, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, mode, size, mtimeNs, ctimeNs].join(' ')
}

/** Adds to a set of the newest. */
function note(keys: Set<string>, key: string): void {
  keys.add(key)
  const [oldest] = keys
  if (keys.size > MOST_SEEN && oldest !== undefined) keys.delete(oldest)
}

/**
 * Directories of inputs by their content, so that jobs that bring the same ones along share them: one is made when a
 * content comes a second time, looked at before each use, and removed some time after its last one. Nothing of it is
 * found again by a later process, which begins with an empty place.
 */
export class KeptInputs<Made> {
  readonly #directory: string
  readonly #options: KeptInputsOptions
  readonly #trees = new Map<string, Tree<Made>>()
  /** Those that nobody uses, by the time of their last use. */
  readonly #idle = new Set<Tree<Made>>()
  #idleBytes = 0
  /** Contents that came once. */
  readonly #seen = new Set<string>()
  /** Contents that are too much, or were not what they should be once they were there. */
  readonly #notKept = new Set<string>()
  #made = 0
  #tidying: NodeJS.Timeout | undefined

  /** `directory` is its own: what is there is removed. */
  constructor(directory: string, options: KeptInputsOptions = KEPT_INPUTS) {
    this.#directory = directory
    this.#options = options
  }

  /** Removes what an earlier process left. */
  async open(): Promise<void> {
    await removeTree(this.#directory)
  }

  /**
   * The directory for a content, made where it is not there yet or was changed; undefined where the content comes for
   * the first time, or cannot be kept.
   */
  async take(content: string, maker: Maker<Made>): Promise<KeptTree<Made> | undefined> {
    const key = createHash('sha256').update(content).digest('hex')
    const known = this.#trees.get(key)
    if (this.#notKept.has(key) || (known === undefined && this.#isNew(key))) return undefined
    if (known !== undefined) {
      const made = await this.#use(known)
      if (made === undefined) return undefined
      if (known.whole) return this.#handOut(known, made.of)
      if (known.entries === undefined) {
        this.#leave(known)
        return undefined
      }
      this.#forget(known)
      this.#leave(known)
    }
    const tree = new Tree(key, join(this.#directory, `${key}-${this.#made}`), maker, this.#options)
    this.#made += 1
    this.#trees.set(key, tree)
    const made = await this.#use(tree)
    if (made === undefined) return undefined
    if (tree.whole) return this.#handOut(tree, made.of)
    note(this.#notKept, key)
    this.#forget(tree)
    this.#leave(tree)
    return undefined
  }

  /** Removes all. */
  async close(): Promise<void> {
    clearInterval(this.#tidying)
    this.#trees.clear()
    await removeTree(this.#directory)
  }

  #isNew(key: string): boolean {
    if (this.#seen.delete(key)) return false
    note(this.#seen, key)
    return true
  }

  /** Counts a use; undefined where it could not be made, for which a run that stages for itself finds the reason. */
  async #use(tree: Tree<Made>): Promise<{ readonly of: Made } | undefined> {
    tree.uses += 1
    if (this.#idle.delete(tree)) this.#idleBytes -= tree.bytes
    try {
      return { of: await tree.making }
    } catch {
      this.#forget(tree)
      this.#leave(tree)
      await this.#repair()
      return undefined
    }
  }

  /** Removes what somebody has put in the place of the directory. */
  async #repair(): Promise<void> {
    const isRight = await lstat(this.#directory).then(
      (status) => status.isDirectory(),
      () => true,
    )
    if (!isRight) await removeTree(this.#directory).catch(() => undefined)
  }

  #handOut(tree: Tree<Made>, made: Made): KeptTree<Made> {
    let released = false
    return {
      directory: tree.directory,
      made,
      copyTo: (destination) => tree.copyTo(destination),
      release: () => {
        if (released) return
        released = true
        this.#leave(tree)
      },
    }
  }

  /** Gives it to nobody else; those that use it go on. */
  #forget(tree: Tree<Made>): void {
    if (this.#trees.get(tree.key) === tree) this.#trees.delete(tree.key)
  }

  #leave(tree: Tree<Made>): void {
    tree.uses -= 1
    if (tree.uses > 0) return
    if (this.#trees.get(tree.key) !== tree) {
      this.#remove(tree)
      return
    }
    tree.lastUsedMs = performance.now()
    this.#idle.add(tree)
    this.#idleBytes += tree.bytes
    this.#tidying ??= setInterval(() => this.#tidy(), this.#options.idleMs / 10).unref()
    this.#tidy()
  }

  #tidy(): void {
    const { maxBytes, maxIdle, idleMs } = this.#options
    const before = performance.now() - idleMs
    for (const tree of this.#idle) {
      if (this.#idleBytes <= maxBytes && this.#idle.size <= maxIdle && tree.lastUsedMs > before) return
      this.#idle.delete(tree)
      this.#idleBytes -= tree.bytes
      this.#forget(tree)
      this.#remove(tree)
    }
  }

  #remove(tree: Tree<Made>): void {
    removeTree(tree.directory).catch(() => {
      // What cannot be removed goes with the next start.
    })
  }
}
