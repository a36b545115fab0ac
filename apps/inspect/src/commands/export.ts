import { countOf, Failure, shellWord, type Terminal } from '@saltcod/cli-kit'
import { isStoreError } from '@saltcod/store-core'
import { findLmdbOwner } from '@saltcod/store-lmdb'
import { exportModels } from '../bacalhau/export-models.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { checkPages } from '../file/check-pages.ts'
import { Sources } from '../source/sources.ts'
import { eachRow } from '../store/bucket-rows.ts'
import { type ExportHeader, exportRow } from '../store/interchange.ts'
import { locateStore } from '../store/locate.ts'
import { mayCostRecords, RECORD_TABLES } from '../store/lost-rows.ts'
import { tellMissingRows } from '../store/missing-records.ts'
import { textOutputTo } from '../store/new-text-file.ts'
import { openStore } from '../store/open-store.ts'
import { secretsOfStore } from '../store/secrets.ts'

/** Options of `export`. */
export interface ExportOptions {
  readonly showSecrets?: boolean
  /** Default: that of the source. */
  readonly format?: 'saltcod' | 'bacalhau'
}

const TABLES = RECORD_TABLES.filter((table) => table !== 'quarantine')
/** What else is wrong with a file may come before what costs records. */
const MAX_FINDINGS = 1_000

/** Writes the records of a store of ours or of files of Bacalhau, to a new file or to standard output. */
export async function exportSource(
  terminal: Terminal,
  source: string,
  target: string | undefined,
  options: ExportOptions,
): Promise<ExitCode> {
  const sources = new Sources(terminal, source)
  const ofBacalhau = await sources.areOfBacalhau()
  const format = options.format ?? (ofBacalhau ? 'bacalhau' : 'saltcod')
  if (format === 'bacalhau') return await exportModels(terminal, sources, target, options)
  if (!ofBacalhau) return await exportStore(terminal, source, target, options)
  throw new Failure(EXIT.usage, `${source} holds files of Bacalhau, which have no rows of ours`, {
    hint: `saltcod-inspect import ${shellWord(source)} --to REPOSITORY makes stores of them, which can be exported so`,
  })
}

/** Writes every record as a line of JSON. */
async function exportStore(
  terminal: Terminal,
  source: string,
  target: string | undefined,
  options: ExportOptions,
): Promise<ExitCode> {
  const opened = await openStore(await locateStore(source))
  const out = textOutputTo(terminal, target)
  let rows = 0
  let damaged = 0
  let missing: ExitCode | undefined
  try {
    const { sequence } = await opened.store.info()
    const { kind, schema, storeId, nodeId } = opened.row
    const redacted = options.showSecrets !== true
    const secrets = redacted ? secretsOfStore(opened) : null
    const header: ExportHeader = { saltcodExport: 1, kind, schema, storeId, nodeId, sequence, redacted }
    out.write(`${JSON.stringify(header)}\n`)
    for (const table of TABLES) {
      eachRow(opened.kv, { table, prefix: new Uint8Array(0) }, null, ({ key, value }) => {
        try {
          out.write(`${exportRow(kind, { table, key, value }, secrets)}\n`)
          rows += 1
        } catch (error) {
          if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
          damaged += 1
          terminal.err(`Warning: ${error.message}; it is left out\n`)
        }
        return true
      })
    }
    missing = await tellMissingRows(terminal, opened)
    missing = (await tellDamagedPages(terminal, opened.path)) ?? missing
    out.done()
  } catch (error) {
    out.discard()
    throw error
  } finally {
    await opened.kv.close()
  }
  if (target !== undefined) terminal.out(`${target}: ${countOf(rows, 'row')}\n`)
  return damaged === 0 ? (missing ?? EXIT.ok) : EXIT.findings
}

/** LMDB passes over rows of a damaged page without a word. The pages of a store that is in use change under a walk. */
async function tellDamagedPages(terminal: Terminal, path: string): Promise<ExitCode | undefined> {
  if ((await findLmdbOwner(path)).running) return undefined
  const found = checkPages(path, MAX_FINDINGS).structure.find(({ table }) => mayCostRecords(table))
  if (found === undefined) return undefined
  terminal.err(`Warning: rows may be missing, the pages of ${path} are damaged: ${found.message}\n`)
  return EXIT.findings
}
