import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Note, Offers } from '@saltcod/bacalhau-records'
import {
  bytesText,
  Failure,
  formatTable,
  Progress,
  paint,
  printable,
  printValue,
  shellWord,
  type Terminal,
} from '@saltcod/cli-kit'
import { isStoreError } from '@saltcod/store-core'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { checkStoreFile } from '../store/store-check.ts'
import { type BacalhauFiles, withBacalhauFiles } from './bacalhau-files.ts'
import { type FillCounts, fillStores } from './fill-stores.ts'
import {
  clearWork,
  type ImportPlace,
  NOTES_FILE,
  openDryPlace,
  openPlace,
  publish,
  STORE_FILES,
} from './import-place.ts'
import { nodeNameOf } from './node-name.ts'
import { Noted, type NotedKind } from './noted.ts'
import { processOf } from './running-bacalhau.ts'
import { tellDamage } from './source-check.ts'

/** Options of an import from Bacalhau. */
export interface ImportBacalhauOptions extends ReadOptions {
  /** The repository directory that is to be made. */
  readonly to: string
  /** Without it everything is done but for the last step. */
  readonly apply?: boolean
  /** Default: the id that the repository has, or that of Bacalhau's node. */
  readonly nodeId?: string
  /** Names of engines that nodes here have, in lower case. */
  readonly engines: readonly string[]
}

/** What nodes of this release take besides engines, in lower case. */
const INPUTS = ['inline', 'local', 'localdirectory', 'urldownload'] as const
const PUBLISHERS = ['local', 'noop'] as const
const MAX_FINDINGS = 20

interface Report {
  readonly source: string
  readonly files: readonly {
    readonly path: string
    readonly holds: string
    readonly releases: string
    readonly bytes: number
  }[]
  readonly to: string
  readonly nodeId: string
  readonly applied: boolean
  readonly counts: FillCounts
  readonly notes: readonly NotedKind[]
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Every note as a line of JSON; `null` where none was written. */
  readonly notesFile: string | null
}

/**
 * Makes the stores of a repository from the files of a Bacalhau node: all of it or nothing. Without `apply` they are
 * made and checked in a directory that goes away again. Resolves with `findings` where something had to be left out.
 */
export async function importBacalhau(
  terminal: Terminal,
  source: string,
  options: ImportBacalhauOptions,
): Promise<ExitCode> {
  return await withBacalhauFiles(terminal, source, async (files) => {
    const pid = processOf([...files.jobs, ...files.executions])
    if (pid !== null) {
      throw new Failure(EXIT.usage, `a Bacalhau that runs has ${source} open (process ${pid})`, {
        hint: 'stop it first; jobs that it runs meanwhile would be lost',
      })
    }
    const apply = options.apply === true
    const ids = { given: options.nodeId, ofBacalhau: await nodeNameOf(files) }
    const place = apply ? openPlace(options.to, ids) : openDryPlace(options.to, ids)
    try {
      const report = await bringOver(terminal, files, place, options)
      if (apply) publish(place)
      printValue(terminal, options.output, report, () => textOf(terminal, report))
      return report.notes.some(({ kind }) => kind === 'left-out') ? EXIT.findings : EXIT.ok
    } catch (error) {
      if (!isFull(error)) throw error
      throw new Failure(EXIT.unreadable, `the disk of ${place.repository} is full; nothing was kept`, {
        hint: 'make room: about twice as much as the files of Bacalhau take, and 32 MB besides, or name a directory elsewhere with --to',
        cause: error,
      })
    } finally {
      clearWork(place)
    }
  })
}

function isFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return isStoreError(error, 'STORE_FULL') || code === 'ENOSPC' || code === 'EDQUOT'
}

async function bringOver(
  terminal: Terminal,
  files: BacalhauFiles,
  place: ImportPlace,
  options: ImportBacalhauOptions,
): Promise<Report> {
  const apply = options.apply === true
  const notesPath = join(place.work, NOTES_FILE)
  let lines: string[] = []
  let written = 0
  const flush = (): void => {
    if (lines.length > 0) writeFileSync(notesPath, lines.join(''), { flag: 'a', mode: 0o600 })
    written += lines.length
    lines = []
  }
  const noted = new Noted((note: Note) => {
    lines.push(`${JSON.stringify(note)}\n`)
    if (lines.length >= 1_000) flush()
  })
  const progress = new Progress(terminal, () => performance.now())
  const transactions = transactionsOf(files)
  const offers: Offers = {
    engines: options.engines,
    inputs: INPUTS,
    publishers: PUBLISHERS,
  }
  await tellDamage(files, noted.tell, (done, total) =>
    progress.show('check of the files: pages', done, total),
  )
  const counts = await fillStores({
    ...{ files, place, offers, nowMs: Date.now(), tell: noted.tell },
    onProgress: (what, done, total) => progress.show(what, done, total),
  })
  if (transactionsOf(files) !== transactions) {
    throw new Failure(
      EXIT.unreadable,
      `the files in ${files.path} changed while they were read; nothing was kept`,
      {
        hint: 'stop Bacalhau first, then import again',
      },
    )
  }
  for (const name of Object.values(STORE_FILES)) await refuseUnsound(join(place.work, name), progress)
  progress.end()
  flush()
  const keepsNotes = apply && written > 0
  const all = [...files.jobs, ...files.executions]
  const described = all.map(({ path, layout }) => ({
    ...{ path, holds: layout.kind, releases: layout.releases, bytes: statSync(path).size },
  }))
  return {
    source: files.path,
    files: described,
    to: place.repository,
    nodeId: place.nodeId,
    applied: apply,
    counts,
    notes: noted.kinds,
    bytesBefore: described.reduce((sum, { bytes }) => sum + bytes, 0),
    bytesAfter: counts.bytes,
    notesFile: keepsNotes ? join(place.repository, NOTES_FILE) : null,
  }
}

function transactionsOf(files: BacalhauFiles): string {
  return [...files.jobs, ...files.executions].map(({ bolt }) => String(bolt.info().transaction)).join()
}

async function refuseUnsound(path: string, progress: Progress): Promise<void> {
  const { findings, readable } = await checkStoreFile(path, MAX_FINDINGS, undefined, (what, done, total) =>
    progress.show(what === 'pages' ? 'check of pages: rows' : 'check of rules: rows', done, total),
  )
  const [first] = findings
  if (readable && first === undefined) return
  throw new Failure(
    EXIT.unreadable,
    `the store that was made is not sound, and nothing was kept: ${first?.message ?? 'it cannot be read'}`,
    { hint: 'look at the disk and the system log, then try again' },
  )
}

function textOf(terminal: Terminal, report: Report): string {
  const { counts, notes, bytesBefore, bytesAfter, applied, to, nodeId } = report
  const files = report.files.map(({ path, holds, releases, bytes }) => [
    path,
    holds,
    releases,
    bytesText(bytes),
  ])
  const brought = [
    ['jobs', String(counts.jobs), counts.jobsInProgress === 0 ? '' : `${counts.jobsInProgress} go on`],
    ['executions', String(counts.executions), ''],
    ['evaluations', String(counts.evaluations), 'closed'],
    ['history entries', String(counts.history), ''],
    ['executions of the compute node', String(counts.computeExecutions), ''],
    ['history entries of the compute node', String(counts.computeHistory), ''],
  ]
  const title = (text: string): string => `${paint(terminal, 'bold', text)}\n`
  const noteLines = notes.map(({ kind, code, record, count, first }) => {
    const examples = first
      .map(({ place, message }) => `    ${printable(place)}: ${printable(message)}\n`)
      .join('')
    const more = count > first.length ? `    and ${count - first.length} more\n` : ''
    return `  ${kind} ${record} (${code}): ${count}\n${examples}${more}`
  })
  const kept = report.notesFile === null ? '' : `every note is in ${printable(report.notesFile)}\n`
  const said = noteLines.length === 0 ? 'everything is kept as it was\n' : `${noteLines.join('')}${kept}`
  const end = applied
    ? `${paint(terminal, 'green', 'imported')}; start the node with: saltcod serve --repo ${shellWord(to)}\n`
    : `nothing was written; add --apply to do it\n`
  return (
    `${title('From')}${formatTable(terminal, ['FILE', 'HOLDS', 'OF RELEASES', 'BYTES'], files)}` +
    `\n${title(`To ${printable(to)}, node ${printable(nodeId)}`)}${formatTable(terminal, [], brought)}` +
    `${bytesText(bytesBefore)} before, ${bytesText(bytesAfter)} after; both stores checked\n` +
    `\n${title('What is another than it was')}${said}\n${end}`
  )
}
