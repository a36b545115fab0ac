import { bytesText, Failure, formatTable, printValue, type Terminal } from '@saltcod/cli-kit'
import type { KvStatistics, KvTableStatistics } from '@saltcod/store-core/backend'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT } from '../exit-code.ts'
import { locateStore } from '../store/locate.ts'
import { openStore } from '../store/open-store.ts'

/** Prints the pages and rows of each table. */
export async function stats(terminal: Terminal, store: string, options: ReadOptions): Promise<undefined> {
  const opened = await openStore(await locateStore(store))
  try {
    const statistics = opened.store.capabilities.statistics?.()
    if (statistics === undefined) {
      throw new Failure(EXIT.unreadable, `${opened.path} has no statistics`, {
        hint: `the backend (${opened.kv.backend}) counts neither rows nor bytes; "buckets" counts the keys of each table`,
      })
    }
    const tables = [...statistics.tables].sort(byBytes)
    printValue(terminal, options.output, { ...statistics, tables }, () => {
      const rows = tables.map(({ table, rows: count, usedBytes }) => [
        table,
        String(count),
        bytesText(usedBytes),
        count === 0 ? '-' : bytesText(usedBytes / count),
      ])
      const { fileBytes, usedBytes, freeBytes } = statistics
      const last = `file ${bytesText(fileBytes)}, used ${bytesText(usedBytes)}, free inside ${bytesText(freeBytes)}\n`
      return `${formatTable(terminal, ['TABLE', 'ROWS', 'BYTES', 'PER ROW'], rows)}${last}${estimateNote(statistics)}`
    })
  } finally {
    await opened.kv.close()
  }
  return undefined
}

/** Says that numbers are estimates, where they are; else nothing. */
export function estimateNote({ approximate }: KvStatistics): string {
  return approximate === true ? 'rows and bytes are estimates of the backend\n' : ''
}

function byBytes(a: KvTableStatistics, b: KvTableStatistics): number {
  return b.usedBytes - a.usedBytes
}
