import { createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Header, pack } from 'tar-stream'
import { CopyBudget } from '../../compute/files/copy-budget.ts'
import { makeJobDirectory } from '../../compute/files/directories.ts'
import { removeTree } from '../../compute/files/remove-tree.ts'
import { TaskError } from '../../compute/task-error.ts'
import type { StagedResult } from '../../inputs/work.ts'
import type { SkippedResult } from '../../publishers/publisher.ts'
import { systemCode } from '../../system-code.ts'
import { hasStatus, type SocketApi, SocketError } from './socket-api.ts'

const EXECUTABLE = 0o111
const MAX_ENTRIES = 100_000
const MAX_DEPTH = 64
const BREAKS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])
/** What a name in an archive becomes that is not UTF-8. */
const NOT_UTF8 = '\uFFFD'

/**
 * Makes the result paths of a container that has not begun, which whoever it runs as may write. They lie in the
 * container and not in a directory of the host, so that no device file or link of it ever does, and so that their
 * owner is no matter.
 */
export async function makeResultPaths(
  api: SocketApi,
  container: string,
  results: readonly StagedResult[],
): Promise<void> {
  if (results.length === 0) return
  const archive = pack()
  for (const { path } of results) archive.entry({ name: path.slice(1), type: 'directory', mode: 0o777 })
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk)
  await api.ask({
    method: 'PUT',
    path: `/containers/${container}/archive`,
    query: { path: '/' },
    body: Buffer.concat(chunks),
  })
}

/** What bounds the taking out of results. */
export interface TakeOptions {
  readonly maxBytes: number
  /** The most files and directories, and whatever is left out. */
  readonly maxEntries?: number
  readonly signal: AbortSignal
}

/**
 * Takes what a container left in its result paths into the directories of its run: files and directories, which belong
 * to the node then. Answers with what was left out. Throws `RESULTS_TOO_LARGE` beyond the limits.
 */
export async function takeResults(
  api: SocketApi,
  container: string,
  results: readonly StagedResult[],
  { maxBytes, maxEntries = MAX_ENTRIES, signal }: TakeOptions,
): Promise<readonly SkippedResult[]> {
  // An earlier try may have been broken off, by the end of its node too.
  for (const { hostPath } of results) {
    await removeTree(hostPath)
    await makeJobDirectory(hostPath)
  }
  const skipped: SkippedResult[] = []
  const budget = new CopyBudget(
    maxBytes,
    maxEntries,
    (what) => new TaskError('RESULTS_TOO_LARGE', `what the job left as its results ${what}`),
  )
  for (const result of results) {
    try {
      const answer = await api.open({
        path: `/containers/${container}/archive`,
        query: { path: result.path },
        signal,
        waits: true,
      })
      await new Taking(result, budget, skipped).take(answer)
    } catch (error) {
      if (!hasStatus(error, 404)) throw error
      skipped.push({ path: result.name, reason: 'is not there' })
    }
  }
  return skipped
}

/** One result path on its way out. */
class Taking {
  readonly #result: StagedResult
  readonly #budget: CopyBudget
  readonly #skipped: SkippedResult[]
  #root: readonly string[] | undefined
  /** The files that were taken, which hard links may name. */
  readonly #files = new Set<string>()

  constructor(result: StagedResult, budget: CopyBudget, skipped: SkippedResult[]) {
    this.#result = result
    this.#budget = budget
    this.#skipped = skipped
  }

  async take(answer: Readable): Promise<void> {
    const entries = extract()
    const feeding = pipeline(answer, entries).then(
      () => undefined,
      (error: unknown) => error,
    )
    let failure: unknown
    try {
      for await (const entry of entries) {
        await this.#takeEntry(entry.header, entry as AsyncIterable<Buffer>)
        entry.resume()
      }
    } catch (error) {
      failure = error
    } finally {
      entries.destroy()
      answer.destroy()
    }
    // What ends here ends the feeding too, so that comes second.
    const cause = await feeding
    const error = failure ?? cause
    if (error === undefined) return
    if (!isBreak(error)) throw error as Error
    throw new SocketError(0, 'the answer with the results broke off', { cause: error })
  }

  async #takeEntry(header: Header, content: AsyncIterable<Buffer>): Promise<void> {
    const inside = this.#inside(header.name)
    const skip = (reason: string): void => {
      this.#budget.takeEntry()
      this.#skipped.push({ path: join(this.#result.name, inside ?? basename(header.name)), reason })
    }
    if (inside === undefined) return skip('has a name that leads out of its directory')
    if (inside.split('/').length > MAX_DEPTH) return skip('lies too deep')
    if (inside.includes(NOT_UTF8)) return skip('has a name that is not UTF-8')
    if (inside === '') return header.type === 'directory' ? undefined : skip('is not a directory')
    const path = join(this.#result.hostPath, inside)
    const { type } = header
    if (type === 'directory') {
      this.#budget.takeEntry()
      await mkdir(path, { recursive: true, mode: 0o755 })
    } else if (type === 'file' || type === 'contiguous-file') {
      await this.#write(inside, path, header.mode ?? 0, content)
    } else if (type === 'link') {
      const target = this.#inside(header.linkname ?? '')
      if (target === undefined || !this.#files.has(target)) return skip('is a link to what is not taken')
      await this.#write(inside, path, header.mode ?? 0, createReadStream(join(this.#result.hostPath, target)))
    } else {
      skip(type === 'symlink' ? 'is a link' : 'is no file and no directory')
    }
  }

  /** The path of an entry in its directory, whose own name comes first; undefined where it would lie outside. */
  #inside(name: string): string | undefined {
    const parts = partsOf(name)
    if (parts === undefined) return undefined
    // It is empty where the directory is a volume.
    this.#root ??= parts
    const root = this.#root
    return root.every((part, index) => parts[index] === part) ? parts.slice(root.length).join('/') : undefined
  }

  async #write(inside: string, path: string, mode: number, content: AsyncIterable<Buffer>): Promise<void> {
    this.#budget.takeEntry()
    await makeJobDirectory(dirname(path))
    // Exclusive, so that nothing is written through what an earlier entry has made.
    const file = await open(path, 'wx', (mode & EXECUTABLE) === 0 ? 0o644 : 0o755)
    try {
      for await (const chunk of content) {
        this.#budget.takeBytes(chunk.length)
        await file.writeFile(chunk)
      }
    } finally {
      await file.close()
    }
    this.#files.add(inside)
  }
}

/** Tells whether it was the server that ended an answer. */
function isBreak(error: unknown): boolean {
  return BREAKS.has(systemCode(error) ?? '')
}

/** The parts of the path of an entry; undefined where it would lead out. */
function partsOf(name: string): readonly string[] | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  return parts.includes('..') || name.includes('\0') ? undefined : parts
}
