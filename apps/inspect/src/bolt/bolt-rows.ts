import {
  type Column,
  Failure,
  printable,
  printValue,
  RowPrinter,
  shellWord,
  type Terminal,
} from '@saltcod/cli-kit'
import type { BoltBucket, BoltFile, BoltKey, BoltPiece, BoltPieceOptions, BoltRow } from '@saltcod/store-bolt'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { exactText } from '../store/exact-json.ts'
import { BoltDamages, findBoltBucket, withBolt } from './bolt-argument.ts'
import { type BoltFormat, bytesAsText, bytesOfArgument, exactNumber, valueText } from './bolt-text.ts'

/** Which rows of a BoltDB file are printed, and how. */
export interface BoltRowsOptions extends ReadOptions {
  readonly format: BoltFormat
  readonly showSecrets?: boolean | undefined
  /** At most so many; null for all of them. */
  readonly limit: number | null
  readonly cursor?: string | undefined
}

/** Lists the buckets of the root or of a bucket, one a line, as `bbolt buckets` does. */
export async function boltBuckets(
  terminal: Terminal,
  path: string,
  names: readonly string[],
  { output }: ReadOptions,
): Promise<ExitCode | undefined> {
  return await withBolt(path, async (file) => {
    const parent = names.length === 0 ? [] : await findBoltBucket(file, names)
    const lines = new LinePrinter<{ readonly bucket: string; readonly sequence: number | string }>(
      terminal,
      output,
      [
        { name: 'BUCKET', value: ({ bucket }) => bucket },
        { name: 'SEQUENCE', value: ({ sequence }) => String(sequence) },
      ],
    )
    const damages = new BoltDamages(terminal)
    await eachRow(terminal, file, parent, { limit: null }, damages, ({ key, bucket }) => {
      if (bucket === null) return undefined
      const row = { bucket: bytesAsText(key, 'auto'), sequence: exactNumber(bucket.sequence) }
      return () => lines.add(row, row.bucket)
    })
    lines.end()
    return damages.tell(path)
  })
}

/** Lists the keys of a bucket in order, one a line, as `bbolt keys` does. */
export async function boltKeys(
  terminal: Terminal,
  path: string,
  names: readonly string[],
  options: BoltRowsOptions,
): Promise<ExitCode | undefined> {
  return await withBolt(path, async (file) => {
    const lines = new LinePrinter<{ readonly key: string; readonly bucket: boolean }>(
      terminal,
      options.output,
      [{ name: 'KEY', value: ({ key }) => key }],
    )
    const damages = new BoltDamages(terminal)
    const bucket = await findBoltBucket(file, names)
    const pieces = (range: BoltPieceOptions) => file.keyPieces(bucket, range)
    await printPieces(terminal, pieces, options, damages, (row) => {
      const key = bytesAsText(row.key, options.format)
      return () => lines.add({ key, bucket: row.isBucket }, key)
    })
    lines.end()
    return damages.tell(path)
  })
}

/** Prints the value under a key, as `bbolt get` does, or the keys of a bucket of that name. */
export async function boltGet(
  terminal: Terminal,
  path: string,
  names: readonly string[],
  options: BoltRowsOptions & { readonly parseFormat: 'ascii-encoded' | 'hex' },
): Promise<undefined> {
  await withBolt(path, async (file) => {
    const key = names.at(-1) ?? ''
    const bucket = await findBoltBucket(file, names.slice(0, -1))
    const found = await file.read((snapshot) => {
      const row = rowOf(snapshot.bucket(bucket), key, options.parseFormat)
      if (row?.bucket === null) return { value: valueText(row.value, options) }
      return row === undefined ? undefined : { bucket: true as const }
    })
    if (found === undefined || 'bucket' in found) throw noValue(path, names, found !== undefined)
    const { text, json: decoded, hidden } = found.value
    printValue(writingExactly(terminal), options.output, decoded ?? text, () => `${printable(text)}\n`)
    if (hidden) terminal.err('environment variables and passwords are hidden; --show-secrets prints them\n')
  })
  return undefined
}

/** A terminal to print values on that `valueText` decoded: their numbers come out digit by digit. */
export function writingExactly(terminal: Terminal): Terminal {
  return { ...terminal, out: (text) => terminal.out(exactText(text)) }
}

function rowOf(
  bucket: BoltBucket | undefined,
  key: string,
  format: 'ascii-encoded' | 'hex',
): BoltRow | undefined {
  const row = bucket?.row(bytesOfArgument(key, format))
  if (row !== undefined || !/^0x([0-9a-f]{2})+$/i.test(key)) return row
  return bucket?.row(bytesOfArgument(key, 'hex'))
}

function noValue(path: string, names: readonly string[], isBucket: boolean): Failure {
  const [key, bucket] = [printable(names.at(-1) ?? ''), printable(names.slice(0, -1).join('/'))]
  return new Failure(
    EXIT.findings,
    isBucket ? `${key} is a bucket in ${bucket}, and has no value` : `there is no key ${key} in ${bucket}`,
    {
      hint: `list the keys with saltcod-inspect keys ${shellWord(path)} ${names
        .slice(0, isBucket ? undefined : -1)
        .map(shellWord)
        .join(' ')}`,
    },
  )
}

/**
 * Reads the rows of a bucket in pieces and prints those of each piece when it counts: `make` is called within a
 * snapshot and returns what prints, or undefined for a row that is not wanted.
 */
export async function eachRow(
  terminal: Terminal,
  file: BoltFile,
  path: readonly BoltKey[],
  { limit, cursor }: Pick<BoltRowsOptions, 'limit' | 'cursor'>,
  damages: BoltDamages,
  make: (row: BoltRow) => (() => void) | undefined,
): Promise<void> {
  const visit = (row: BoltRow) => ({ key: Buffer.from(row.key), print: make(row) })
  const pieces = (range: BoltPieceOptions) => file.pieces(path, visit, range)
  await printPieces(terminal, pieces, { limit, cursor }, damages, ({ print }) => print)
}

/** Prints what a walk in pieces finds, as far as a limit goes; `printOf` returns what prints a row that is wanted. */
async function printPieces<T extends { readonly key: Buffer }>(
  terminal: Terminal,
  pieces: (options: BoltPieceOptions) => AsyncIterable<BoltPiece<T>>,
  { limit, cursor }: Pick<BoltRowsOptions, 'limit' | 'cursor'>,
  damages: BoltDamages,
  printOf: (row: T) => (() => void) | undefined,
): Promise<void> {
  const transactions = new Set<bigint>()
  const after =
    cursor === undefined
      ? {}
      : { after: bytesOfArgument(cursor, cursor.startsWith('0x') ? 'hex' : 'ascii-encoded') }
  let printed = 0
  let more: Buffer | undefined
  let last: Buffer | undefined
  walk: for await (const piece of pieces({ ...after, onDamage: damages.add })) {
    transactions.add(piece.transaction)
    for (const row of piece.values) {
      const print = printOf(row)
      if (print === undefined) continue
      if (printed === limit) {
        more = last
        break walk
      }
      print()
      printed += 1
      last = row.key
    }
  }
  if (more !== undefined) terminal.err(`more: --cursor 0x${more.toString('hex')}\n`)
  if (transactions.size > 1) {
    terminal.err('the file was changed meanwhile; what was there all the time is shown once\n')
  }
}

/** Prints lines as `bbolt` does, without a header, or what another output asks for. */
class LinePrinter<T> {
  readonly #terminal: Terminal
  readonly #printer: RowPrinter<T> | undefined

  constructor(terminal: Terminal, output: ReadOptions['output'], columns: readonly Column<T>[]) {
    this.#terminal = terminal
    this.#printer = output === 'table' ? undefined : new RowPrinter<T>(terminal, output, columns)
  }

  add(row: T, line: string): void {
    if (this.#printer === undefined) this.#terminal.out(`${printable(line)}\n`)
    else this.#printer.add(row)
  }

  end(): void {
    this.#printer?.end()
  }
}
