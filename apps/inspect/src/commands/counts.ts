import { type Column, RowPrinter, type Terminal } from '@saltcod/cli-kit'
import type { RecordKind, StateCount } from '@saltcod/store-core'
import type { ReadOptions } from '../cli/options.ts'
import { recordsText, sizeText } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import { Sources } from '../source/sources.ts'

/** Options of `counts`. */
export interface CountsOptions extends ReadOptions {
  readonly kind?: RecordKind
  readonly namespace?: readonly string[]
}

interface CountRow extends StateCount {
  readonly store: string
}

/**
 * Prints the counters, which a store of ours keeps exact with every change, with `?` for one that is damaged; the
 * records of a file of Bacalhau are counted.
 */
export async function counts(
  terminal: Terminal,
  store: string,
  options: CountsOptions,
): Promise<ExitCode | undefined> {
  const printer = new RowPrinter<CountRow>(terminal, options.output, columns(options))
  const code = await new Sources(terminal, store).each(async (opened) => {
    const found = await opened.store.counts(options.kind === undefined ? {} : { kind: options.kind })
    for (const count of found) {
      if (options.namespace !== undefined && !options.namespace.includes(count.namespace)) continue
      printer.add({ store: opened.kind, ...count })
    }
  })
  printer.end('no records')
  return code
}

function columns({ output }: CountsOptions): Column<CountRow>[] {
  return [
    { name: 'STORE', value: ({ store }) => store },
    { name: 'KIND', value: ({ kind }) => kind },
    { name: 'NAMESPACE', value: ({ namespace }) => namespace },
    { name: 'STATE', value: ({ state }) => state },
    { name: 'RECORDS', value: (count) => recordsText(count) },
    {
      name: 'BYTES',
      value: (count) => (output === 'csv' && count.damaged !== true ? String(count.bytes) : sizeText(count)),
    },
  ]
}
