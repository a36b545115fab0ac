import { formatTable, paint } from '@saltcod/display'
import type { ReadOptions } from '../cli/options.ts'
import { json, printValue } from '../cli/output.ts'
import type { Terminal } from '../cli/terminal.ts'
import { findExecutionIn } from '../store/find-record.ts'
import { executionRow, isCompute, specOf } from '../store/rows.ts'

/** Options of `execution`. */
export interface ExecutionOptions extends ReadOptions {
  readonly showSecrets?: boolean
}

/** Tells all about an execution. */
export async function execution(
  terminal: Terminal,
  store: string,
  id: string,
  options: ExecutionOptions,
): Promise<undefined> {
  const showSecrets = options.showSecrets === true
  await findExecutionIn(store, id, async (opened, found) => {
    const spec = isCompute(found) ? { spec: specOf(found.job.spec, showSecrets) } : {}
    const value = { ...executionRow(found, showSecrets), ...spec, store: opened.path }
    printValue(terminal, options.output, value, () => {
      const facts = Object.entries(value)
        .filter(([name, fact]) => name !== 'spec' && fact !== null && fact !== '')
        .map(([name, fact]) => [name, typeof fact === 'string' ? fact : json(fact)])
      const title = `\n${paint(terminal, 'bold', 'Specification')}\n`
      const text = formatTable(terminal, [], facts)
      return isCompute(found) ? `${text}${title}${json(spec.spec, 2)}\n` : text
    })
  })
  return undefined
}
