import { printableLines } from '../display/printable.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** How a listing can be printed. */
export const FORMATS = ['table', 'json', 'ndjson', 'yaml', 'csv'] as const

/** How one thing can be printed for which a line alone, or columns, would say too little. */
export const DOCUMENT_FORMATS: readonly Format[] = ['table', 'json', 'yaml']

/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number]

let stringify: typeof import('yaml').stringify | undefined

/** Loads what a format needs; before anything is printed. YAML is rarely asked for and slow to load. */
export async function prepareFormat(format: unknown): Promise<void> {
  if (format === 'yaml') stringify = (await import('yaml')).stringify
}

/** Writes a value as JSON that is safe to show on a terminal, and is the same JSON to a program. */
export function json(value: unknown, indent = 0): string {
  return printableLines(JSON.stringify(value, null, indent) ?? 'null')
}

/**
 * Writes a value as YAML, safe to show where that is a terminal: escapes would be taken for text where a program
 * reads them.
 */
export function yaml({ outputIsTerminal }: Terminal, value: unknown): string {
  if (stringify === undefined) throw new TypeError('YAML was not prepared: call prepareFormat first.')
  const text = stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
  return outputIsTerminal ? printableLines(text) : text
}
