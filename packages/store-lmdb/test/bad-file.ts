import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { openLmdbKv } from '../src/index.ts'

/** The tables of the stores that are made here. */
export const TABLES: readonly string[] = ['alpha', 'beta']
/** Only root can give files to others. */
export const isRoot: boolean = process.geteuid?.() === 0

/** A file that must be refused, and how. */
export interface BadFile {
  readonly name: string
  readonly code: string
  readonly says: RegExp
  readonly make: (path: string) => Promise<void> | void
  /** A reader is not refused for it. */
  readonly writersOnly?: boolean
}

/** Makes a store with some rows. */
export async function makeStore(path: string): Promise<void> {
  const store = await openLmdbKv({ path, tables: TABLES })
  for (let round = 0; round < 5; round += 1) {
    await store.write((transaction) => {
      for (let id = 0; id < 300; id += 1)
        transaction.put('alpha', Buffer.from(`${round}-${id}`), Buffer.alloc(200, id))
    })
  }
  await store.close()
}

/** Makes a store, then changes bytes of it. */
function spoiled(change: (bytes: Buffer) => void): (path: string) => Promise<void> {
  return async (path) => {
    await makeStore(path)
    const bytes = readFileSync(path)
    change(bytes)
    writeFileSync(path, bytes)
  }
}

function inBothMetas(change: (meta: Buffer) => void): (path: string) => Promise<void> {
  return spoiled((bytes) => {
    change(bytes.subarray(0, 4_096))
    change(bytes.subarray(4_096, 8_192))
  })
}

function newestMeta(bytes: Buffer): Buffer {
  const second = bytes.readBigUInt64LE(4_096 + 152) > bytes.readBigUInt64LE(152)
  return second ? bytes.subarray(4_096, 8_192) : bytes.subarray(0, 4_096)
}

function rootOf(bytes: Buffer, tree: 0 | 1): number {
  return Number(newestMeta(bytes).readBigUInt64LE(48 + 48 * tree + 40))
}

function pageOf(bytes: Buffer, page: number): Buffer {
  return bytes.subarray(page * 4_096, page * 4_096 + 4_096)
}

/** The names of the tables are in the root of the names; the root of each table is at the end of its record. */
function rootOfAlpha(bytes: Buffer): number {
  const names = pageOf(bytes, rootOf(bytes, 1))
  return Number(names.readBigUInt64LE(names.indexOf('alpha\0') + 'alpha\0'.length + 40))
}

function bolt(page: number): Buffer {
  const bytes = Buffer.alloc(page * 4 + 100, 1)
  for (const start of [0, page]) {
    bytes.writeUInt16LE(4, start + 8)
    bytes.writeUInt32LE(0xed0cdaed, start + 16)
    bytes.writeUInt32LE(2, start + 20)
  }
  return bytes
}

const foreign = (bytes: Buffer | string) => (path: string) => {
  writeFileSync(path, bytes)
}

const cutAt = (bytesOf: (size: number, used: number) => number) => async (path: string) => {
  await makeStore(path)
  const used = Number(newestMeta(readFileSync(path)).readBigUInt64LE(144)) * 4_096
  truncateSync(path, bytesOf(statSync(path).size, used))
}

const CUTS: readonly (readonly [name: string, bytesOf: (size: number, used: number) => number])[] = [
  ['1 byte', () => 1],
  ['23 bytes', () => 23],
  ['100 bytes', () => 100],
  ['one page', () => 4_096],
  ['one page and a bit', () => 4_200],
  ['two pages', () => 8_192],
  ['three pages', () => 12_288],
  ['half', (_, used) => Math.floor(used / 2)],
  ['one page short', (_, used) => used - 4_096],
  ['one byte short', (_, used) => used + 4_095],
]

/** Every kind of bad file. */
export const BAD_FILES: readonly BadFile[] = [
  { name: 'an empty file', code: 'STORE_DAMAGED', says: /is empty/, make: foreign('') },
  { name: 'one byte', code: 'STORE_FOREIGN', says: /text file/, make: foreign('x') },
  { name: 'text', code: 'STORE_FOREIGN', says: /text file/, make: foreign('Hello, world\n'.repeat(1_000)) },
  { name: 'zeros', code: 'STORE_DAMAGED', says: /zeros/, make: foreign(Buffer.alloc(200_000)) },
  { name: 'noise', code: 'STORE_FOREIGN', says: /not a store/, make: foreign(Buffer.alloc(99_999, 0xa7)) },
  {
    name: 'SQLite',
    code: 'STORE_FOREIGN',
    says: /SQLite/,
    make: foreign(Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8_000, 2)])),
  },
  { name: 'BoltDB', code: 'STORE_FOREIGN', says: /BoltDB/, make: foreign(bolt(4_096)) },
  {
    name: 'BoltDB with a lost first page, of larger pages',
    code: 'STORE_FOREIGN',
    says: /BoltDB/,
    make: foreign(bolt(16_384).fill(3, 0, 4_096)),
  },
  { name: 'gzip', code: 'STORE_FOREIGN', says: /gzip/, make: foreign(Buffer.from([0x1f, 0x8b, 8, 0, 1, 2])) },
  {
    name: 'LMDB of the older format',
    code: 'STORE_FOREIGN',
    says: /older data format/,
    make: (path) => {
      const bytes = Buffer.alloc(8_192, 1)
      bytes.writeUInt32LE(0xbeefc0de, 16)
      writeFileSync(path, bytes)
    },
  },
  {
    name: 'a directory',
    code: 'STORE_FOREIGN',
    says: /a directory/,
    make: (path) => {
      mkdirSync(path)
    },
  },
  {
    name: 'a FIFO',
    code: 'STORE_FOREIGN',
    says: /a FIFO/,
    make: (path) => {
      execFileSync('mkfifo', [path])
    },
  },
  {
    name: 'a symbolic link to a store',
    code: 'STORE_FOREIGN',
    says: /a symbolic link/,
    make: async (path) => {
      await makeStore(`${path}.target`)
      symlinkSync(`${path}.target`, path)
    },
  },
  {
    name: 'a loop of symbolic links',
    code: 'STORE_FOREIGN',
    says: /a symbolic link/,
    make: (path) => {
      symlinkSync(path, `${path}.other`)
      symlinkSync(`${path}.other`, path)
    },
  },
  {
    name: 'a directory that is a loop of symbolic links',
    code: 'STORE_FOREIGN',
    says: /loop/,
    make: (path) => {
      rmSync(dirname(path), { recursive: true })
      symlinkSync(dirname(path), dirname(path))
    },
  },
  {
    name: 'a directory that is a file',
    code: 'STORE_FOREIGN',
    says: /not a directory/,
    make: (path) => {
      rmSync(dirname(path), { recursive: true })
      writeFileSync(dirname(path), 'x')
    },
  },
  { name: 'a torn creation', code: 'STORE_DAMAGED', says: /meta page/, make: cutAt(() => 4_096) },
  ...CUTS.map(([name, bytesOf]) => ({
    name: `cut to ${name}`,
    code: name === '1 byte' || name === '23 bytes' ? '' : 'STORE_DAMAGED',
    says: /./,
    make: cutAt(bytesOf),
  })),
  {
    name: 'a data format that is not known',
    code: 'STORE_DAMAGED',
    says: /data format is 3/,
    make: inBothMetas((meta) => meta.writeUInt32LE(3, 28)),
  },
  {
    name: 'a page size of 0',
    code: 'STORE_DAMAGED',
    says: /page size is 0/,
    make: inBothMetas((meta) => meta.writeUInt32LE(0, 48)),
  },
  {
    name: 'a huge page size',
    code: 'STORE_DAMAGED',
    says: /page size/,
    make: inBothMetas((meta) => meta.writeUInt32LE(0x4000_0000, 48)),
  },
  {
    name: 'an encrypted file',
    code: 'STORE_DAMAGED',
    says: /encrypted/,
    make: inBothMetas((meta) => meta.writeUInt16LE(meta.readUInt16LE(52) | 0x2000, 52)),
  },
  {
    name: 'a file of which the older meta page says that it is encrypted',
    code: 'STORE_DAMAGED',
    says: /is damaged: it is encrypted/,
    make: spoiled((bytes) => {
      const older = newestMeta(bytes).byteOffset === bytes.byteOffset ? bytes.subarray(4_096) : bytes
      older.writeUInt16LE(older.readUInt16LE(52) | 0x2000, 52)
    }),
  },
  {
    name: 'a list of free pages that is marked to have several values for a key',
    code: 'STORE_DAMAGED',
    says: /the flags 0x/,
    make: spoiled((bytes) => newestMeta(bytes).writeUInt8(0x0c, 52)),
  },
  {
    name: 'names of tables that are marked to be in reverse order',
    code: 'STORE_DAMAGED',
    says: /the flags 0x/,
    make: spoiled((bytes) => newestMeta(bytes).writeUInt8(0x02, 100)),
  },
  {
    name: 'a lost first meta page',
    code: 'STORE_DAMAGED',
    says: /first page is lost/,
    make: spoiled((bytes) => bytes.fill(1, 0, 4_096)),
  },
  {
    name: 'a lost second meta page',
    code: 'STORE_DAMAGED',
    says: /meta page/,
    make: spoiled((bytes) => bytes.fill(0, 4_096, 8_192)),
  },
  {
    name: 'swapped meta pages',
    code: 'STORE_DAMAGED',
    says: /meta page 1 is of the transaction/,
    make: spoiled((bytes) => {
      const first = Buffer.from(bytes.subarray(0, 4_096))
      bytes.copy(bytes, 0, 4_096, 8_192)
      first.copy(bytes, 4_096)
    }),
  },
  {
    name: 'a root beyond the end',
    code: 'STORE_DAMAGED',
    says: /outside the file/,
    make: spoiled((bytes) => newestMeta(bytes).writeBigUInt64LE(1n << 40n, 96 + 40)),
  },
  {
    name: 'a tree of 200 levels',
    code: 'STORE_DAMAGED',
    says: /200 levels/,
    make: spoiled((bytes) => newestMeta(bytes).writeUInt16LE(200, 96 + 6)),
  },
  {
    name: 'a zeroed root page',
    code: 'STORE_DAMAGED',
    says: /root of a tree/,
    make: spoiled((bytes) => bytes.fill(0, rootOf(bytes, 1) * 4_096, rootOf(bytes, 1) * 4_096 + 4_096)),
  },
  {
    name: 'a zeroed root of a table',
    code: 'STORE_DAMAGED',
    says: /test process|page \d+ /,
    make: spoiled((bytes) => {
      pageOf(bytes, rootOfAlpha(bytes)).fill(0)
    }),
  },
  {
    name: 'a zeroed page in the midst of a table',
    code: 'STORE_DAMAGED',
    says: /test process|page \d+ /,
    make: spoiled((bytes) => {
      const root = pageOf(bytes, rootOfAlpha(bytes))
      const children = root.readUInt16LE(20) / 2
      const middle = 24 + root.readUInt16LE(24 + 2 * Math.floor(children / 2))
      pageOf(bytes, root.readUInt32LE(middle)).fill(0)
    }),
  },
  {
    name: 'a lock file that is a directory',
    code: 'STORE_FOREIGN',
    says: /-lock is a directory/,
    make: async (path) => {
      await makeStore(path)
      rmSync(`${path}-lock`)
      mkdirSync(`${path}-lock`)
    },
  },
  {
    name: 'a lock file that is a symbolic link',
    code: 'STORE_FOREIGN',
    says: /-lock is a symbolic link/,
    make: async (path) => {
      await makeStore(path)
      rmSync(`${path}-lock`)
      symlinkSync('/dev/null', `${path}-lock`)
    },
  },
  {
    name: 'a lock file that holds text',
    code: 'STORE_DAMAGED',
    says: /lock file/,
    make: async (path) => {
      await makeStore(path)
      writeFileSync(`${path}-lock`, 'something else')
    },
  },
]

/** Everything that is in a directory, byte for byte. */
