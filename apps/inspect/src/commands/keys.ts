import { RowPrinter, type Terminal } from '@saltcod/cli-kit'
import { type BoltFormat, bytesAsText } from '../bolt/bolt-text.ts'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { eachRow } from '../store/bucket-rows.ts'
import { findBucket, keyText, parseKey } from '../store/buckets.ts'
import { locateStore } from '../store/locate.ts'
import { openStore } from '../store/open-store.ts'

/** Options of `keys`. */
export interface KeysOptions extends ListOptions {
  readonly format: BoltFormat
}

/** Lists the keys of a bucket in order. */
export async function keys(
  terminal: Terminal,
  store: string,
  name: string,
  options: KeysOptions,
): Promise<undefined> {
  const opened = await openStore(await locateStore(store))
  try {
    const bucket = findBucket(opened.kind, name)
    const printer = new RowPrinter<{ key: string }>(terminal, options.output, [
      { name: 'KEY', value: ({ key }) => key },
    ])
    const { limit, cursor } = pagingOf(options)
    let more: string | null = null
    eachRow(opened.kv, bucket, cursor === undefined ? null : parseKey(bucket, cursor), ({ key }) => {
      if (limit !== null && printer.count >= limit) return false
      const hex = `0x${Buffer.from(key).toString('hex')}`
      printer.add({ key: printedKey(options.format, hex, keyText(bucket, key)) })
      more = printer.count === limit ? hex : null
      return true
    })
    printer.end('no keys')
    if (more !== null) terminal.err(`more: --cursor ${String(more)}\n`)
  } finally {
    await opened.kv.close()
  }
  return undefined
}

/** Keys are tuples, which have a text of their own; only digits, and what is hidden, are of the bytes. */
function printedKey(format: BoltFormat, hex: string, text: string): string {
  if (format === 'hex') return hex
  return format === 'redacted' ? bytesAsText(Buffer.from(hex.slice(2), 'hex'), format) : text
}
