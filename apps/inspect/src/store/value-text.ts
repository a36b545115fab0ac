import { Failure } from '@saltcod/cli-kit'
import { isStoreError, type Json } from '@saltcod/store-core'
import { decodeId, decodeRecord, decodeTuple, INDEX, type StoreKind } from '@saltcod/store-core/format'
import { type BoltFormat, bytesAsText } from '../bolt/bolt-text.ts'
import { EXIT } from '../exit-code.ts'
import type { Secrets } from './secrets.ts'

/** Tables whose rows hold specifications, and with them secrets. */
const WITH_SECRETS: ReadonlySet<string> = new Set(['specs', 'outbox', 'requests', 'executions'])

/** A value as it is printed: decoded, or a text. */
export type PrintedValue = { readonly json: Json } | { readonly text: string }

/** How values are to be printed. */
export interface ValueOptions {
  readonly format: BoltFormat
  readonly showSecrets?: boolean
}

/**
 * Prints a row's value. `auto` decodes records, checks their sum and hides secrets; `utf8` and `hex` show
 * the bytes, and are refused for tables with secrets unless these may be shown; `redacted` tells lengths alone.
 */
export function printRowValue(
  table: string,
  key: Uint8Array,
  value: Uint8Array,
  {
    format,
    showSecrets,
    kind,
    secrets,
  }: ValueOptions & { readonly kind: StoreKind; readonly secrets: Secrets },
): PrintedValue {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (format === 'redacted') return { text: `<${bytes.length} bytes>` }
  if (format !== 'auto') {
    refuseSecrets(table, format, showSecrets)
    return { text: bytesAsText(bytes, format) }
  }
  if (table === 'index') return { text: bytes.length === 0 ? '' : namedRecord(key, bytes) }
  try {
    const json = decodeRecord<Json>(table, key, value)
    return { json: showSecrets === true ? json : secrets.redactRow(kind, table, json) }
  } catch (error) {
    if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
    return { text: `damaged: ${error.message} (${bytes.length} bytes)` }
  }
}

/** A unique index names the record that a name or a place in a queue stands for. */
function namedRecord(key: Uint8Array, value: Uint8Array): string {
  try {
    const index = Number(decodeTuple(key)[0])
    const ofJob = index < INDEX.executionByJob || index === INDEX.executionFolded
    return decodeId(ofJob ? 'j' : 'v', decodeTuple(value)[0])
  } catch {
    return `0x${Buffer.from(value).toString('hex')}`
  }
}

function refuseSecrets(table: string, format: string, showSecrets: boolean | undefined): void {
  if (showSecrets === true || !WITH_SECRETS.has(table)) return
  throw new Failure(EXIT.usage, `--format ${format} would show the secrets in ${table}`, {
    hint: 'add --show-secrets, or use --format auto, which hides them',
  })
}
