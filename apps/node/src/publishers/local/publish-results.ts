import { randomBytes } from 'node:crypto'
import { type FileHandle, lstat, mkdir, open, readdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ResultPath, resultFolder } from '@saltcod/bacalhau-records'
import { makeDirectory } from '@saltcod/config'
import { CopyBudget } from '../../compute/files/copy-budget.ts'
import {
  copyDirectory,
  copyFile,
  openProblem,
  syncDirectory,
  type TreeCopy,
} from '../../compute/files/copy-tree.ts'
import { openEntry, openPlain } from '../../compute/files/open-inside.ts'
import { removeTree } from '../../compute/files/remove-tree.ts'
import { readExitRecord } from '../../compute/keeper/exit-record.ts'
import { TaskError } from '../../compute/task-error.ts'
import { mountPath } from '../../inputs/mount-path.ts'
import { rootOf } from '../../inputs/work.ts'
import type { PublishAnswer, PublishOptions, SkippedResult } from '../publisher.ts'

const MAX_ENTRIES = 100_000
const TEMPORARY = '.unfinished-'

/** Where the published results of an execution lie; a `TypeError` for an id that cannot name a directory. */
export function publishedDirectory(resultsDir: string, executionId: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(executionId)) {
    throw new TypeError(`The execution id ${JSON.stringify(executionId)} cannot name a directory.`)
  }
  return join(resultsDir, executionId)
}

async function isDirectory(path: string): Promise<boolean> {
  return await lstat(path).then(
    (status) => status.isDirectory(),
    () => false,
  )
}

async function measure(directory: string): Promise<{ files: number; bytes: number }> {
  let files = 0
  let bytes = 0
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    const inside = entry.isDirectory() ? await measure(path) : { files: 1, bytes: (await lstat(path)).size }
    files += inside.files
    bytes += inside.bytes
  }
  return { files, bytes }
}

/** Opens a directory below another one part by part, so that no link on the way is followed. */
async function openBelow(top: string, path: string): Promise<FileHandle> {
  let directory = await openPlain(top)
  for (const part of path.split('/').filter((name) => name !== '')) {
    const parent = directory
    try {
      directory = await openEntry(parent, part)
    } finally {
      await parent.close()
    }
  }
  return directory
}

/** Copies what a job left behind; links and special files are left out and listed. */
class Collection {
  readonly skipped: SkippedResult[] = []
  readonly #workDir: string
  readonly #destination: string
  readonly #copy: TreeCopy

  constructor(options: PublishOptions, destination: string) {
    this.#workDir = options.workDir
    this.#destination = destination
    const fail = (what: string): Error =>
      new TaskError('RESULTS_TOO_LARGE', `what the job left as its results ${what}`)
    this.#copy = {
      budget: new CopyBudget(options.maxBytes, MAX_ENTRIES, fail),
      durable: true,
      signal: options.signal,
      odd: () => Promise.resolve(undefined),
    }
  }

  async addLog(name: string): Promise<void> {
    const log = await openPlain(join(this.#workDir, name)).catch(() => undefined)
    // An engine without a process keeps no logs.
    if (log === undefined) return await this.addText(name, '')
    try {
      await copyFile(log, join(this.#destination, name), this.#copy)
    } finally {
      await log.close()
    }
  }

  async addText(name: string, text: string): Promise<void> {
    const file = await open(join(this.#destination, name), 'wx', 0o444)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  async addFolder(result: ResultPath): Promise<void> {
    const name = resultFolder(result.Name)
    const folder = join(this.#destination, name)
    await mkdir(folder, { mode: 0o755 })
    let source: FileHandle
    try {
      source = await openBelow(rootOf(this.#workDir), mountPath(result.Path))
    } catch (error) {
      this.skipped.push({ path: name, reason: openProblem(error) })
      return
    }
    const odd: TreeCopy['odd'] = (_parent, _name, path, reason) => {
      this.skipped.push({ path: join(name, path), reason })
      return Promise.resolve(undefined)
    }
    try {
      if ((await source.stat()).isDirectory()) await copyDirectory(source, folder, { ...this.#copy, odd })
      else this.skipped.push({ path: name, reason: 'is not a directory' })
    } finally {
      await source.close()
    }
  }
}

async function collect(options: PublishOptions, destination: string): Promise<readonly SkippedResult[]> {
  const exitCode = options.exitCode ?? readExitRecord(options.workDir)?.exitCode
  const collection = new Collection(options, destination)
  await collection.addLog('stdout')
  await collection.addLog('stderr')
  await collection.addText('exitCode', String(exitCode ?? ''))
  for (const result of options.results) await collection.addFolder(result)
  await syncDirectory(destination)
  return collection.skipped
}

/**
 * Publishes what a job left behind: copies it into a temporary directory, makes it durable, and renames it
 * into place, so that published results are always whole. Calling it again is harmless: what is published
 * stays. Throws a {@link TaskError} `RESULTS_TOO_LARGE` beyond the limits. The work directory is left alone.
 */
export async function publishResults(options: PublishOptions): Promise<PublishAnswer> {
  const directory = publishedDirectory(options.resultsDir, options.executionId)
  if (await isDirectory(directory)) {
    return { status: 'published', directory, manifest: { ...(await measure(directory)), skipped: [] } }
  }
  // A job without result paths may have shared the directory that it saw; what it printed lies in its own.
  const needed = options.results.length === 0 ? options.workDir : rootOf(options.workDir)
  if (!(await isDirectory(needed))) {
    return { status: 'results-lost', reason: `neither ${directory} nor ${options.workDir} is there any more` }
  }
  makeDirectory(options.resultsDir)
  const prefix = `${TEMPORARY}${options.executionId}+`
  for (const name of await readdir(options.resultsDir)) {
    // What a crash in the middle of an earlier call left.
    if (name.startsWith(prefix)) await removeTree(join(options.resultsDir, name))
  }
  const temporary = join(options.resultsDir, prefix + randomBytes(6).toString('hex'))
  await mkdir(temporary, { mode: 0o700 })
  try {
    const skipped = await collect(options, temporary)
    const manifest = { ...(await measure(temporary)), skipped }
    await rename(temporary, directory)
    await syncDirectory(options.resultsDir)
    await syncDirectory(dirname(options.resultsDir))
    return { status: 'published', directory, manifest }
  } catch (error) {
    await removeTree(temporary)
    throw error
  }
}
