import { Failure } from '@saltcod/cli-kit'
import type { Json } from '@saltcod/store-core'
import { decodeRecord, encodeRecord, type StoreKind, versionOf } from '@saltcod/store-core/format'
import { EXIT } from '../exit-code.ts'
import type { Secrets } from './secrets.ts'

/** One row of a store on its way from one file to another. */
export interface StoreTableRow {
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** The first line of an export. */
export interface ExportHeader {
  readonly saltcodExport: 1
  readonly kind: StoreKind
  readonly schema: number
  readonly storeId: string
  readonly nodeId: string | null
  readonly sequence: number
  /** Whether secrets were left out; such an export cannot be imported. */
  readonly redacted: boolean
}

interface ExportedRow {
  readonly table: string
  /** The key's bytes as hexadecimal text. */
  readonly key: string
  /** Version of the record. */
  readonly version: number
  readonly record: Json
}

/**
 * Writes a row as one line of an export, without secrets where these are given. Throws `RECORD_CORRUPT` for a damaged
 * one.
 */
export function exportRow(
  kind: StoreKind,
  { table, key, value }: StoreTableRow,
  secrets: Secrets | null,
): string {
  const record = decodeRecord<Json>(table, key, value)
  const row: ExportedRow = {
    table,
    key: Buffer.from(key).toString('hex'),
    version: versionOf(value),
    record: secrets === null ? record : secrets.redactRow(kind, table, record),
  }
  return JSON.stringify(row)
}

/** Reads a line that {@link exportRow} wrote. Throws a `Failure` that names the line. */
export function importRow(line: string, lineNumber: number, tables: ReadonlySet<string>): StoreTableRow {
  const row = parse(line, lineNumber) as Partial<ExportedRow> | null
  const { table, key, version, record } = row ?? {}
  const fits =
    typeof table === 'string' &&
    tables.has(table) &&
    typeof key === 'string' &&
    /^([0-9a-f]{2})+$/.test(key) &&
    typeof version === 'number' &&
    record !== undefined
  if (!fits) throw badLine(lineNumber, 'is no row of an export')
  const bytes = Buffer.from(key, 'hex')
  return { table, key: bytes, value: encodeRecord(table, bytes, version, record) }
}

/** Reads the first line of an export. Throws a `Failure`. */
export function importHeader(line: string): ExportHeader {
  const header = parse(line, 1) as Partial<ExportHeader> | null
  if (header?.saltcodExport !== 1 || (header.kind !== 'jobs' && header.kind !== 'executions')) {
    throw badLine(1, 'is not the beginning of an export')
  }
  if (header.redacted !== false) {
    throw new Failure(EXIT.usage, 'the export was made without its secrets, so its jobs could not run', {
      hint: 'export again with --show-secrets',
    })
  }
  return header as ExportHeader
}

function parse(line: string, lineNumber: number): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw badLine(lineNumber, 'is no JSON')
  }
}

function badLine(lineNumber: number, what: string): Failure {
  return new Failure(EXIT.usage, `line ${lineNumber} ${what}; nothing was written`, {
    hint: 'give a file that saltcod-inspect export wrote, whole',
  })
}
