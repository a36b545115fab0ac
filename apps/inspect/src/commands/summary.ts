import type { ReadOptions } from '../cli/options.ts'
import { printValue } from '../cli/output.ts'
import { formatTable } from '../cli/table.ts'
import type { Terminal } from '../cli/terminal.ts'
import { bytesText } from '../cli/words.ts'
import { eachStore } from '../store/open-store.ts'

/** Prints what an operator wants to know first. */
export async function summary(terminal: Terminal, store: string, options: ReadOptions): Promise<undefined> {
  await eachStore(store, async (opened) => {
    const counts = await opened.store.counts()
    const value = { path: opened.path, kind: opened.kind, nodeId: opened.row.nodeId, counts }
    printValue(terminal, options.output, value, () =>
      formatTable(
        terminal,
        ['KIND', 'STATE', 'RECORDS', 'BYTES'],
        counts.map(({ kind, state, records, bytes }) => [kind, state, String(records), bytesText(bytes)]),
      ),
    )
  })
  return undefined
}
