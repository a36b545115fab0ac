import { defaultConfigYaml, formatProblem, getConfig, listConfig } from '@saltcod/config'
import { EXIT } from '../../exit-code.ts'
import { Failure } from '../../failure.ts'
import { loadOrRefuse } from '../configuration.ts'
import { printList, printValue } from '../output.ts'
import type { Terminal } from '../terminal.ts'

/** Lists every setting with its value and where it came from. */
export function configList(terminal: Terminal, argv: readonly string[], format: string): void {
  const loaded = loadOrRefuse(terminal, argv)
  for (const warning of loaded.warnings) terminal.err(`Warning: ${formatProblem(warning)}\n`)
  const rows = listConfig(loaded)
  if (format === 'json' || format === 'yaml') {
    printValue(
      terminal,
      format,
      rows.map(({ key, value, originText }) => ({ Key: key, Value: value ?? null, Origin: originText })),
    )
    return
  }
  printList(terminal, format, rows, [
    { name: 'KEY', value: (row) => row.key },
    { name: 'VALUE', value: (row) => row.text },
    { name: 'ORIGIN', value: (row) => row.originText },
  ])
}

/** Prints the value of one setting alone. */
export function configGet(terminal: Terminal, key: string, argv: readonly string[]): void {
  const row = getConfig(loadOrRefuse(terminal, argv), key)
  if (row === undefined) {
    throw new Failure(EXIT.usage, `there is no setting ${JSON.stringify(key)}`, {
      hint: 'list them with: saltcod config list',
    })
  }
  terminal.out(`${row.text}\n`)
}

/** Prints a config file that has every default with what it means. */
export function configDefault(terminal: Terminal): void {
  terminal.out(defaultConfigYaml())
}
