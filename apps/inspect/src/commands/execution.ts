import { formatTable, json, paint, printValues, type Terminal } from '@saltcod/cli-kit'
import type { Json } from '@saltcod/store-core'
import type { ReadOptions } from '../cli/options.ts'
import type { ExitCode } from '../exit-code.ts'
import { findExecutionIn } from '../store/find-record.ts'
import { isCompute } from '../store/is-compute.ts'
import { executionRow, specOf } from '../store/rows.ts'
import { secretsOfExecution } from '../store/secrets.ts'

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
): Promise<ExitCode | undefined> {
  const showSecrets = options.showSecrets === true
  const values: Readonly<Record<string, Json>>[] = []
  const code = await findExecutionIn(terminal, store, id, async (opened, found) => {
    const spec = isCompute(found) ? { spec: specOf(found.job.spec as Json, showSecrets) } : {}
    const secrets = showSecrets ? null : await secretsOfExecution(opened, found)
    values.push({ ...executionRow(found, secrets), ...spec, store: opened.path })
  })
  printValues(terminal, options.output, values, {
    toRow: (value) => value,
    toText: (value) => textOf(terminal, value),
  })
  return code
}

function textOf(terminal: Terminal, { spec, ...value }: Readonly<Record<string, Json>>): string {
  const facts = Object.entries(value)
    .filter(([, fact]) => fact !== null && fact !== '')
    .map(([name, fact]) => [name, typeof fact === 'string' ? fact : json(fact)])
  const title = `\n${paint(terminal, 'bold', 'Specification')}\n`
  const text = formatTable(terminal, [], facts)
  return spec === undefined ? text : `${text}${title}${json(spec, 2)}\n`
}
