import { Failure, json, RowPrinter, type Terminal } from '@saltcod/cli-kit'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { eachRow } from '../store/bucket-rows.ts'
import { bucketsOf, findBucket, keyText, parseKey } from '../store/buckets.ts'
import { locateStore } from '../store/locate.ts'
import { tellMissingRows } from '../store/missing-records.ts'
import { openStore } from '../store/open-store.ts'
import { Secrets, secretsOfStore } from '../store/secrets.ts'
import { type PrintedValue, printRowValue, type ValueOptions } from '../store/value-text.ts'

/** Options of `dump`. */
export interface DumpOptions extends ListOptions, ValueOptions {}

interface DumpRow {
  readonly bucket: string
  readonly key: string
  readonly value: PrintedValue
}

/** Prints every row of a bucket, or of all tables. */
export async function dump(
  terminal: Terminal,
  store: string,
  name: string | undefined,
  options: DumpOptions,
): Promise<ExitCode | undefined> {
  const { limit, cursor } = pagingOf(options)
  if (cursor !== undefined && name === undefined) {
    throw new Failure(EXIT.usage, '--cursor needs a bucket', { hint: 'name the bucket after the store' })
  }
  const opened = await openStore(await locateStore(store))
  let missing: ExitCode | undefined
  try {
    const all = bucketsOf(opened.kind).filter(({ prefix }) => prefix.length === 0)
    const chosen = name === undefined ? all : [findBucket(opened.kind, name)]
    const printer = new RowPrinter<DumpRow>(terminal, options.output, columns(), toRow)
    const secrets = options.showSecrets === true ? new Secrets() : secretsOfStore(opened)
    const full = (): boolean => limit !== null && printer.count >= limit
    let more: string | null = null
    for (const bucket of chosen) {
      const start = cursor === undefined ? null : parseKey(bucket, cursor)
      eachRow(opened.kv, bucket, start, ({ key, value }) => {
        if (full()) return false
        printer.add({
          bucket: bucket.name,
          key: keyText(bucket, key),
          value: printRowValue(bucket.table, key, value, { ...options, kind: opened.kind, secrets }),
        })
        more = full() ? `0x${Buffer.from(key).toString('hex')}` : null
        return true
      })
      if (full()) break
    }
    printer.end('no rows')
    if (name === undefined && !full()) missing = await tellMissingRows(terminal, opened)
    if (more !== null)
      terminal.err(`more: ${name === undefined ? '--all, or name a bucket' : `--cursor ${String(more)}`}\n`)
  } finally {
    await opened.kv.close()
  }
  return missing
}

function toRow({ bucket, key, value }: DumpRow): unknown {
  return { bucket, key, value: 'json' in value ? value.json : value.text }
}

function columns() {
  return [
    { name: 'BUCKET', value: ({ bucket }: DumpRow) => bucket },
    { name: 'KEY', value: ({ key }: DumpRow) => key },
    { name: 'VALUE', value: ({ value }: DumpRow) => ('json' in value ? json(value.json) : value.text) },
  ]
}
