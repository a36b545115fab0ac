import { type Column, json, RowPrinter, type Terminal } from '@saltcod/cli-kit'
import { BoltDamageList, type BoltFile, type BoltKey, type BoltRow } from '@saltcod/store-bolt'
import type { Json } from '@saltcod/store-core'
import type { ExitCode } from '../exit-code.ts'
import { exactText } from '../store/exact-json.ts'
import { BoltDamages, findBoltBucket, withBolt } from './bolt-argument.ts'
import { boltPageDump } from './bolt-page-dump.ts'
import { type BoltRowsOptions, eachRow, writingExactly } from './bolt-rows.ts'
import { bytesAsText, pathText, valueText } from './bolt-text.ts'

interface DumpRow {
  readonly bucket: string
  readonly key: string
  readonly value: Json
}

const DUMP_COLUMNS: readonly Column<DumpRow>[] = [
  { name: 'BUCKET', value: ({ bucket }) => bucket },
  { name: 'KEY', value: ({ key }) => key },
  { name: 'VALUE', value: ({ value }) => (typeof value === 'string' ? value : exactText(json(value))) },
]

/**
 * Prints every value of a bucket, or of all, with those of the buckets in it; or the bytes of pages, as `bbolt dump`
 * does, where there are numbers and no bucket of that name.
 */
export async function boltDump(
  terminal: Terminal,
  path: string,
  names: readonly string[],
  options: BoltRowsOptions,
): Promise<ExitCode | undefined> {
  return await withBolt(path, async (file) => {
    const areNumbers = names.length > 0 && names.every((name) => /^\d{1,15}$/.test(name))
    const isBucket = !areNumbers || (await file.read(({ root }) => root.bucket(names[0] ?? ''))) !== undefined
    if (!isBucket) return await boltPageDump(terminal, file, names.map(Number))
    const start = names.length === 0 ? [] : await findBoltBucket(file, names)
    const printer = new RowPrinter<DumpRow>(writingExactly(terminal), options.output, DUMP_COLUMNS)
    const damages = new BoltDamages(terminal)
    let hidden = false
    const walks = names.length > 0 ? [start] : bucketsOfRoot(file, damages)
    for await (const walk of walks) {
      const left = options.limit === null ? null : options.limit - printer.count
      await eachRow(terminal, file, walk, { ...options, limit: left }, damages, (row) => {
        const dumped = dumpedRows(row, walk.map(bytesOfKey), options)
        return () => {
          hidden ||= dumped.hidden
          for (const one of dumped.rows) printer.add(one)
          for (const one of dumped.damage.all) damages.add(one)
        }
      })
      if (options.limit !== null && printer.count >= options.limit) break
    }
    printer.end('no rows')
    if (hidden) terminal.err('environment variables and passwords are hidden; --show-secrets prints them\n')
    return damages.tell(path)
  })
}

/** A bucket of the root may be as large as the file, and is walked by itself. */
async function* bucketsOfRoot(file: BoltFile, damages: BoltDamages): AsyncGenerator<readonly BoltKey[]> {
  for await (const { values } of file.keyPieces([], { onDamage: damages.add })) {
    for (const { key } of values) yield [key]
  }
}

function bytesOfKey(key: BoltKey): Buffer {
  return Buffer.from(key)
}

interface Dumped {
  readonly rows: DumpRow[]
  readonly damage: BoltDamageList
  hidden: boolean
}

/** What a row of a bucket holds: its value, or all values of a nested bucket. */
function dumpedRows(row: BoltRow, parent: readonly Uint8Array[], options: BoltRowsOptions): Dumped {
  const dumped: Dumped = { rows: [], damage: new BoltDamageList(), hidden: false }
  const visit = (one: BoltRow, path: readonly Uint8Array[]): void => {
    if (one.bucket !== null) {
      for (const inner of one.bucket.rows({ onDamage: dumped.damage.add })) {
        visit(inner, one.bucket.path)
      }
      return
    }
    const printed = valueText(one.value, options)
    dumped.hidden ||= printed.hidden
    const key = bytesAsText(one.key, 'auto')
    dumped.rows.push({ bucket: pathText(path), key, value: printed.json ?? printed.text })
  }
  visit(row, parent)
  return dumped
}
