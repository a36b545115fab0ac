import { Failure, RowPrinter, type Terminal } from '@saltcod/cli-kit'
import type { KvRow, KvStore } from '@saltcod/store-core/backend'
import { bacalhauPaths } from '../bacalhau/bacalhau-files.ts'
import { diffBacalhau } from '../bacalhau/diff-bacalhau.ts'
import type { ListOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { type Bucket, bucketsOf, findBucket, keyText } from '../store/buckets.ts'
import { locateStore, ownPaths } from '../store/locate.ts'
import { type OpenedStore, openStore } from '../store/open-store.ts'
import { type Secrets, secretsOfStore } from '../store/secrets.ts'
import { type PrintedValue, printRowValue } from '../store/value-text.ts'

/** Options of `diff`. */
export interface DiffOptions extends ListOptions {
  readonly bucket?: string
}

interface Difference {
  readonly bucket: string
  readonly key: string
  readonly what: 'added' | 'removed' | 'changed'
  readonly before: PrintedValue | null
  readonly after: PrintedValue | null
}

/** What is compared without asking: records, not what follows from them nor what every opening changes. */
const COMPARED: readonly string[] = ['jobs', 'specs', 'executions', 'evaluations', 'history', 'outbox']
const STEP_ROWS = 1_000

/**
 * Lists the records that differ between two stores, such as a backup and the store of now. Resolves with `findings`
 * where some do.
 */
export async function diff(
  terminal: Terminal,
  first: string,
  second: string,
  options: DiffOptions,
): Promise<ExitCode> {
  if (bacalhauPaths(first).length > 0 && (await ownPaths(first)).length === 0) {
    if (options.bucket === undefined) return await diffBacalhau(terminal, first, second, options)
    throw new Failure(EXIT.usage, `${first} holds files of Bacalhau, which have other buckets`, {
      hint: 'leave --bucket out: all their records are compared',
    })
  }
  const before = await openStore(await locateStore(first))
  try {
    const after = await openStore(await locateStore(second))
    try {
      if (before.kind !== after.kind) {
        throw new Failure(
          EXIT.usage,
          `${first} is a store of ${before.kind}, ${second} one of ${after.kind}`,
          {
            hint: 'compare two stores of the same kind',
          },
        )
      }
      const printer = new RowPrinter<Difference>(terminal, options.output, columns(), toRow)
      const buckets =
        options.bucket === undefined
          ? bucketsOf(before.kind).filter(({ name }) => COMPARED.includes(name))
          : [findBucket(before.kind, options.bucket)]
      const limit = options.all === true ? Number.MAX_SAFE_INTEGER : options.limit
      let found = 0
      const secrets = secretsOfStore(after, secretsOfStore(before))
      for (const bucket of buckets) {
        compare(bucket, before, after, secrets, (difference) => {
          found += 1
          if (found <= limit) printer.add(difference)
          return found <= limit
        })
      }
      printer.end('no differences')
      if (found > limit) terminal.err('there are more differences; raise --limit or give --all\n')
      return found === 0 ? EXIT.ok : EXIT.findings
    } finally {
      await after.kv.close()
    }
  } finally {
    await before.kv.close()
  }
}

/** Walks both stores side by side in key order, a batch of each at a time. */
function compare(
  bucket: Bucket,
  a: OpenedStore,
  b: OpenedStore,
  secrets: Secrets,
  report: (difference: Difference) => boolean,
): void {
  const left = new Reader(a.kv, bucket)
  const right = new Reader(b.kv, bucket)
  const print = (row: KvRow): PrintedValue =>
    printRowValue(bucket.table, row.key, row.value, { format: 'auto', kind: a.kind, secrets })
  for (;;) {
    const x = left.peek()
    const y = right.peek()
    if (x === undefined && y === undefined) return
    const order = x === undefined ? 1 : y === undefined ? -1 : Buffer.compare(x.key, y.key)
    const key = keyText(bucket, (order <= 0 ? x : y)?.key ?? new Uint8Array(0))
    const row = { bucket: bucket.name, key }
    let go = true
    if (order < 0 && x !== undefined) go = report({ ...row, what: 'removed', before: print(x), after: null })
    else if (order > 0 && y !== undefined)
      go = report({ ...row, what: 'added', before: null, after: print(y) })
    else if (x !== undefined && y !== undefined && Buffer.compare(x.value, y.value) !== 0) {
      go = report({ ...row, what: 'changed', before: print(x), after: print(y) })
    }
    if (!go) return
    if (order <= 0) left.next()
    if (order >= 0) right.next()
  }
}

class Reader {
  readonly #kv: KvStore
  readonly #bucket: Bucket
  #rows: KvRow[] = []
  #index = 0
  #ended = false

  constructor(kv: KvStore, bucket: Bucket) {
    this.#kv = kv
    this.#bucket = bucket
  }

  peek(): KvRow | undefined {
    if (this.#index >= this.#rows.length && !this.#ended) this.#fill()
    return this.#rows[this.#index]
  }

  next(): void {
    this.#index += 1
  }

  #fill(): void {
    const last = this.#rows.at(-1)
    const { table, prefix } = this.#bucket
    const low = last !== undefined ? { gt: last.key } : prefix.length > 0 ? { gte: prefix } : {}
    const high = prefix.length > 0 ? { lt: Buffer.concat([prefix, Buffer.of(0xff)]) } : {}
    this.#rows = this.#kv.read((snapshot) => snapshot.range(table, { ...low, ...high, limit: STEP_ROWS }))
    this.#index = 0
    this.#ended = this.#rows.length < STEP_ROWS
  }
}

function toRow({ before, after, ...rest }: Difference): unknown {
  return { ...rest, before: plain(before), after: plain(after) }
}

function plain(value: PrintedValue | null): unknown {
  if (value === null) return null
  return 'json' in value ? value.json : value.text
}

function columns() {
  const text = (value: PrintedValue | null): string => (value === null ? '' : JSON.stringify(plain(value)))
  return [
    { name: 'BUCKET', value: ({ bucket }: Difference) => bucket },
    { name: 'KEY', value: ({ key }: Difference) => key },
    { name: 'WHAT', value: ({ what }: Difference) => what },
    { name: 'BEFORE', value: ({ before }: Difference) => text(before) },
    { name: 'AFTER', value: ({ after }: Difference) => text(after) },
  ]
}
