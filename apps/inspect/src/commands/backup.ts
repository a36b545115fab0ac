import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { bytesText, Failure, printValue, type Terminal } from '@saltcod/cli-kit'
import { DataFile, findCommit } from '@saltcod/store-lmdb/file'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT } from '../exit-code.ts'
import { checkPages } from '../file/check-pages.ts'
import { locateStore } from '../store/locate.ts'
import { freePath, publish } from '../store/new-store.ts'
import { openStore } from '../store/open-store.ts'

/** Options of `backup`. */
export interface BackupOptions extends ReadOptions {
  readonly maxGrowth: number
}

/** How often the growth of the store is looked at while it is copied. */
const AGAIN_MS = 5
const WATCH_MS = 25
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Writes a consistent copy of a store, of a running node too, and checks every page of the copy. */
export async function backup(
  terminal: Terminal,
  source: string,
  target: string,
  options: BackupOptions,
): Promise<undefined> {
  const path = await locateStore(source)
  const final = freePath(target)
  const temporary = join(dirname(final), `.${basename(final)}.making-${randomBytes(6).toString('hex')}`)
  const opened = await openStore(path)
  const before = usedBytes(path)
  // The copy cannot be stopped; the snapshot that it holds goes with the process. A thread makes its file: before that
  // is there, it could still come after it was removed.
  const giveUp = (exitCode: number): void => {
    if (partsOf(temporary).length === 0) {
      setTimeout(() => giveUp(exitCode), AGAIN_MS).unref()
      return
    }
    removeAll(temporary)
    process.exit(exitCode)
  }
  for (const signal of STOP_SIGNALS) process.once(signal, () => giveUp(128 + constants.signals[signal]))
  const watch = setInterval(() => {
    const growth = usedBytes(path) - before
    if (growth <= options.maxGrowth) return
    clearInterval(watch)
    terminal.err(`Error: the store grew by ${bytesText(growth)} while it was copied; nothing was kept\n`)
    terminal.err('Hint: try again when there is less to do, or raise --max-growth\n')
    giveUp(EXIT.unreadable)
  }, WATCH_MS)
  try {
    const bytes = await opened.kv.capabilities.backup?.(temporary)
    if (bytes === undefined) {
      throw new Failure(EXIT.unreadable, `${path} cannot be backed up`, {
        hint: 'only a store in a file of LMDB can',
      })
    }
    verify(temporary)
    publish(temporary, final)
    const value = { source: path, target: final, bytes, sequence: (await opened.store.info()).sequence }
    printValue(terminal, options.output, value, () => `${final}: ${bytesText(bytes)}, every page checked\n`)
  } finally {
    clearInterval(watch)
    removeAll(temporary)
    await opened.kv.close()
  }
  return undefined
}

/** Removes a file that is not finished, and what was on the way to become it. */
function removeAll(temporary: string): void {
  for (const path of partsOf(temporary)) rmSync(path, { force: true })
}

function partsOf(temporary: string): string[] {
  const directory = dirname(temporary)
  return readdirSync(directory)
    .filter((name) => name.startsWith(basename(temporary)))
    .map((name) => join(directory, name))
}

/** Bytes up to the last page in use; the file itself is longer, because a store extends it ahead of use. */
function usedBytes(path: string): number {
  const file = new DataFile(path)
  const commit = findCommit(file)
  file.close()
  return typeof commit === 'string' ? 0 : (commit.meta.lastPage + 1) * commit.meta.pageBytes
}

function verify(path: string): void {
  const { structure, records } = checkPages(path, 1)
  const [first] = [...structure, ...records]
  if (first === undefined) return
  throw new Failure(EXIT.unreadable, `the store is damaged, and so would be its copy: ${first.message}`, {
    hint: 'run check on the store; salvage saves what can be decoded',
  })
}
