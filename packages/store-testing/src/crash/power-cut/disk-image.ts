import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { RecordedDirectory } from './recorded-directory.ts'
import type { FileContent, RecordedFile, Survival } from './recorded-file.ts'

/** A file of an image; one that has several names is the same object under each. */
export interface ImageFile {
  readonly inode: string
  readonly content: FileContent
}

/** A directory as a power cut leaves it. */
export class DiskImage {
  /** A directory in which nothing is. */
  static readonly EMPTY: DiskImage = new DiskImage([], new Map())
  /** Paths, each behind the one above it. */
  readonly directories: readonly string[]
  readonly files: ReadonlyMap<string, ImageFile>

  private constructor(directories: readonly string[], files: ReadonlyMap<string, ImageFile>) {
    this.directories = directories
    this.files = files
  }

  /** Returns what is left of a recorded directory. */
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
   * Writes the image into an empty directory. What a file says of inodes and times, of its own or of others, is as it
   * was.
   */
  write(root: string): void {
    for (const path of this.directories) mkdirSync(join(root, path), { mode: 0o700 })
    const made = new Map<ImageFile, string>()
    for (const [path, file] of this.files) {
      const first = made.get(file)
      if (first === undefined) writeContent(join(root, path), file.content)
      else linkSync(join(root, first), join(root, path))
      made.set(file, path)
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
