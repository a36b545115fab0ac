import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { countOf, Failure, printValue, shellWord, type Terminal } from '@saltcod/cli-kit'
import { SCHEMA_VERSION } from '@saltcod/store-core/format'
import { bacalhauPaths } from '../bacalhau/bacalhau-files.ts'
import { importBacalhau } from '../bacalhau/import-bacalhau.ts'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { type ExportHeader, importHeader, importRow } from '../store/interchange.ts'
import { RECORD_TABLES } from '../store/lost-rows.ts'
import { makeStore } from '../store/new-store.ts'
import { LeftOutFile, rebuildInto } from '../store/rebuild-into.ts'
import { requireRegularFile } from '../store/regular-file.ts'

const TABLES: ReadonlySet<string> = new Set(RECORD_TABLES)

/** Options of `import`. */
export interface ImportOptions extends ReadOptions {
  /** The repository that the files of Bacalhau are brought into. */
  readonly to?: string
  readonly apply?: boolean
  readonly nodeId?: string
  readonly engines: readonly string[]
}

/** Makes a new store of an export, or the stores of a repository of the files of Bacalhau. */
export async function importSource(
  terminal: Terminal,
  source: string,
  target: string | undefined,
  options: ImportOptions,
): Promise<ExitCode> {
  const { to } = options
  if (to !== undefined) {
    if (target !== undefined) {
      throw new Failure(EXIT.usage, `${target} and --to ${to} are two places`, {
        hint: 'leave one of them out',
      })
    }
    return await importBacalhau(terminal, source, { ...options, to })
  }
  if (bacalhauPaths(source).length > 0) {
    throw new Failure(EXIT.usage, `${source} holds files of Bacalhau`, {
      hint: `saltcod-inspect import ${shellWord(source)} --to REPOSITORY makes the stores of a repository of them`,
    })
  }
  if (target === undefined) {
    throw new Failure(EXIT.usage, 'the target is missing', { hint: 'name the store that is to be made' })
  }
  return await importStore(terminal, source, target, options)
}

async function importStore(
  terminal: Terminal,
  source: string,
  target: string,
  options: ReadOptions,
): Promise<ExitCode> {
  if (source !== '-') requireExport(source)
  const leftOut = new LeftOutFile(`${target}.left-out.ndjson`)
  let header: ExportHeader | undefined
  let rows = 0
  const bytes = await makeStore(target, async (sink) => {
    let lineNumber = 0
    const input = source === '-' ? process.stdin : createReadStream(source)
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      lineNumber += 1
      if (lineNumber === 1) header = checked(importHeader(line))
      else if (sink.add(importRow(line, lineNumber, TABLES))) await sink.flush()
    }
    if (header === undefined)
      throw new Failure(EXIT.usage, `${source} is empty; nothing was written`, {
        hint: 'give a file that saltcod-inspect export wrote, whole',
      })
    rows = sink.rows
    await rebuildInto(sink, header.kind, leftOut)
  }).finally(() => leftOut.close())
  const value = { source, target, rows, bytes, leftOut: leftOut.count, rowsLeftOut: leftOut.listed }
  printValue(terminal, options.output, value, () => {
    const lost =
      leftOut.count === 0 ? '' : `${countOf(leftOut.count, 'row')} left out, kept in ${leftOut.path}\n`
    return `${target}: ${countOf(rows, 'row')}\n${lost}`
  })
  return leftOut.count === 0 ? EXIT.ok : EXIT.findings
}

function requireExport(source: string): void {
  const hint =
    'give a file that saltcod-inspect export wrote; what comes through a pipe is read with - as the file'
  try {
    requireRegularFile(source, { exitCode: EXIT.usage, hint })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    throw new Failure(EXIT.usage, `${source} cannot be read: ${code}`, { hint })
  }
}

function checked(header: ExportHeader): ExportHeader {
  if (header.schema <= SCHEMA_VERSION) return header
  throw new Failure(
    EXIT.usage,
    `the export has schema ${header.schema}, this release reads up to ${SCHEMA_VERSION}`,
    {
      hint: 'use the newer release that wrote it',
    },
  )
}
