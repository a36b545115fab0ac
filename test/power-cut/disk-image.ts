import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { RecordedDirectory } from './recorded-directory.ts'
import type { FileContent, RecordedFile, Survival } from './recorded-file.ts'

/** A file of an image; one that has several names is the same object under each. */
interface ImageFile {
  readonly inode: string
  readonly content: FileContent
}

/** A directory as a power cut leaves it. */
export class DiskImage {
  static readonly EMPTY: DiskImage = new DiskImage([], new Map())
  /** Paths, each behind the one above it. */
  readonly directories: readonly string[]
  readonly files: ReadonlyMap<string, ImageFile>

  private constructor(directories: readonly string[], files: ReadonlyMap<string, ImageFile>) {
    this.directories = directories
    this.files = files
  }

  static of(root: RecordedDirectory, survival: Survival): DiskImage {
    const directories: string[] = []
    const files = new Map<string, ImageFile>()
    const known = new Map<RecordedFile, ImageFile>()
    const walk = (directory: RecordedDirectory, prefix: string): void => {
      for (const [name, entry] of directory.surviving(survival)) {
        const path = `${prefix}${name}`
        if (entry instanceof RecordedDirectory) {
          directories.push(path)
          walk(entry, `${path}/`)
        } else {
          const file = known.get(entry) ?? { inode: entry.inode, content: entry.content(survival) }
          known.set(entry, file)
          files.set(path, file)
        }
      }
    }
    walk(root, '')
    return new DiskImage(directories, files)
  }

  /** Returns what is in a directory now; what is neither file nor directory is left out. */
  static read(root: string): DiskImage {
    const directories: string[] = []
    const files = new Map<string, ImageFile>()
    const walk = (prefix: string): void => {
      for (const name of readdirSync(join(root, prefix))) {
        const path = `${prefix}${name}`
        const found = lstatSync(join(root, path))
        if (found.isDirectory()) {
          directories.push(path)
          walk(`${path}/`)
        } else if (found.isFile()) {
          files.set(path, { inode: String(found.ino), content: contentOf(readFileSync(join(root, path))) })
        }
      }
    }
    walk('')
    return new DiskImage(directories, files)
  }

  /**
   * Writes the image into an empty directory. The notes of owners beside stores then speak of the files as they are there; where `closed`
   * is true, as if they had been closed in good order, so that no child checks each of them.
   */
  write(root: string, { closed }: { readonly closed: boolean } = { closed: true }): void {
    for (const path of this.directories) mkdirSync(join(root, path), { mode: 0o700 })
    const made = new Map<ImageFile, string>()
    for (const [path, file] of this.files) {
      const first = made.get(file)
      if (first === undefined) writeContent(join(root, path), file.content)
      else linkSync(join(root, first), join(root, path))
      made.set(file, path)
    }
    for (const [path, { inode }] of this.files) {
      const isStore = path.endsWith('.db') && lstatSync(join(root, path)).size > 0
      const note = this.files.get(`${path}.owner`)?.content.bytes.toString()
      if (!isStore || (note === undefined && !closed)) continue
      const state = closed ? undefined : /^(closed|process) \d+/.exec(note ?? '')?.[0]
      writeFileSync(join(root, `${path}.owner`), noteOf(join(root, path), inode, note ?? '', state), {
        mode: 0o600,
      })
    }
  }
}

function contentOf(bytes: Buffer): FileContent {
  return { bytes, length: bytes.length }
}

function writeContent(path: string, { bytes, length }: FileContent): void {
  writeFileSync(path, bytes, { mode: 0o600 })
  if (length > bytes.length) truncateSync(path, length)
}

/** The note of an owner about a file that has another inode now; without a state, that it was closed and not touched since. */
function noteOf(path: string, inode: string, note: string, state: string | undefined): string {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true })
  const [, transaction, of] = / commit (\d+) of (\d+):\d+/.exec(note) ?? []
  const commit = of === inode ? ` commit ${transaction} of ${ino}:${birthtimeNs}` : ''
  return `${state ?? `closed ${ctimeNs}`}${commit}`.padEnd(96)
}
