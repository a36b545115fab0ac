import { execFileSync } from 'node:child_process'
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'

/** A file that is no store, and what the refusal must name. */
export interface BadStore {
  readonly name: string
  readonly says: RegExp
  /** Makes it; `good` is a sound store of the right kind. */
  readonly make: (path: string, good: string) => void
}

const PAGE = 4_096
const OTHER_USER = 65_534

function boltFile(): Buffer {
  const bytes = Buffer.alloc(PAGE * 4)
  for (const page of [0, 1]) {
    bytes.writeBigUInt64LE(BigInt(page), page * PAGE)
    bytes.writeUInt16LE(4, page * PAGE + 8)
    bytes.writeUInt32LE(0xed0cdaed, page * PAGE + 16)
    bytes.writeUInt32LE(2, page * PAGE + 20)
    bytes.writeUInt32LE(PAGE, page * PAGE + 24)
  }
  return bytes
}

function sqliteFile(): Buffer {
  const bytes = Buffer.alloc(PAGE * 2)
  bytes.write('SQLite format 3\0', 'latin1')
  bytes.writeUInt16BE(PAGE, 16)
  return bytes
}

function holding(content: string | Buffer): BadStore['make'] {
  return (path) => writeFileSync(path, content, { mode: 0o600 })
}

function cut(lengthOf: (size: number) => number): BadStore['make'] {
  return (path, good) => {
    copyFileSync(good, path)
    truncateSync(path, lengthOf(statSync(good).size))
  }
}

const TORN: BadStore['make'] = (path, good) => {
  copyFileSync(good, path)
  // The first page alone had reached the disk when the power went.
  truncateSync(path, PAGE)
  truncateSync(path, statSync(good).size)
}

const CUTS: readonly (readonly [string, (size: number) => number])[] = [
  ['1 byte', () => 1],
  ['100 bytes', () => 100],
  ['a byte short of one page', () => PAGE - 1],
  ['one page', () => PAGE],
  ['a page and a half', () => PAGE + PAGE / 2],
  ['two pages', () => 2 * PAGE],
  ['three pages', () => 3 * PAGE],
  ['five pages', () => 5 * PAGE],
  ['nine pages', () => 9 * PAGE],
  ['twelve pages', () => 12 * PAGE],
]

const SPECIAL: readonly BadStore[] = [
  { name: 'a directory', says: /a directory/, make: (path) => mkdirSync(path) },
  { name: 'a named pipe', says: /a FIFO/, make: (path) => execFileSync('mkfifo', [path]) },
  { name: 'links in a circle', says: /a symbolic link/, make: circle },
  { name: 'a link to nothing', says: /a symbolic link/, make: (path) => symlinkSync(`${path}.gone`, path) },
]

const OTHER_USERS: BadStore = {
  name: 'a file of another user',
  says: /belongs to user 65534/,
  make: (path, good) => {
    copyFileSync(good, path)
    chownSync(path, OTHER_USER, OTHER_USER)
  },
}

function circle(path: string): void {
  symlinkSync(`${path}.other`, path)
  symlinkSync(path, `${path}.other`)
}

/** Every kind of bad store file that this user can make. */
export const BAD_STORES: readonly BadStore[] = [
  { name: 'a text', says: /text/, make: holding('this is not a store\n'.repeat(1_000)) },
  { name: 'an empty file', says: /empty/, make: holding('') },
  { name: 'zeros', says: /zeros/, make: holding(Buffer.alloc(1_000_000)) },
  { name: 'one byte', says: /./, make: holding('x') },
  { name: 'noise', says: /./, make: holding(Buffer.alloc(99_999, 0xa7)) },
  { name: 'a torn creation', says: /./, make: TORN },
  { name: 'an SQLite file', says: /SQLite/, make: holding(sqliteFile()) },
  { name: 'a BoltDB file', says: /BoltDB/, make: holding(boltFile()) },
  ...CUTS.map(([name, lengthOf]) => ({ name: `a store cut to ${name}`, says: /./, make: cut(lengthOf) })),
  ...SPECIAL,
  ...(process.geteuid?.() === 0 ? [OTHER_USERS] : []),
]
