import { lstat, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, isFailure } from '@saltcod/cli-kit'
import { makeDirectory } from '@saltcod/config'
import type { ResultStream } from '../client/result-stream.ts'
import { EXIT } from '../exit-code.ts'
import { systemCode } from '../system-code.ts'
import { type UnpackedResults, unpackResults } from './unpack-results.ts'

/** What results of any execution have, so that they need not be fetched to see that there is no room for them. */
const ALWAYS = ['stdout', 'stderr', 'exitCode']

/** What is known of an archive that was begun. */
interface Begun {
  readonly tag: string
  readonly bytes: number
  /** What was unpacked, once all of it was; from then on it is moved to its place. */
  readonly unpacked?: UnpackedResults
}

/**
 * Where the results of an execution are brought to. What has come of them is kept beside that place until all of it is
 * there and proven whole, so that the next try goes on, and only then moved; nothing that is there is replaced.
 */
export class ResultPlace {
  readonly #directory: string
  readonly #work: string
  #begun: Begun | null = null

  constructor(directory: string, executionId: string) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(executionId))
      throw new Failure(EXIT.failed, `${JSON.stringify(executionId)} cannot be the id of an execution`)
    this.#directory = directory
    this.#work = join(directory, `.saltcod-get-${executionId}`)
  }

  /** Looks at what an earlier try left. Throws a `Failure` where the place is taken. */
  async open(): Promise<void> {
    makeDirectory(this.#directory, 0o777)
    this.#begun = await this.#read()
    if (this.#begun?.unpacked === undefined) await this.#refuseTaken(ALWAYS)
    await mkdir(this.#work, { recursive: true, mode: 0o700 })
  }

  /** Which archive was begun, and how much of it is there; `null` where none was. */
  async received(): Promise<{ readonly tag: string; readonly from: number; readonly bytes: number } | null> {
    if (this.#begun === null) return null
    const { tag, bytes, unpacked } = this.#begun
    const size = unpacked === undefined ? await sizeOf(this.#archive) : bytes
    return size === null || size > bytes ? null : { tag, bytes, from: size }
  }

  /** Takes in what comes of an archive; `onBytes` is told how much of it is there. */
  async receive(stream: ResultStream, onBytes: (done: number) => void): Promise<void> {
    const { tag, bytes, from } = stream
    if (from === 0) {
      await rm(this.#archive, { force: true })
      await this.#write({ tag, bytes })
    }
    let at = from
    const file = await open(this.#archive, 'a', 0o600)
    try {
      for await (const chunk of stream.chunks) {
        if (at + chunk.length > bytes) throw new Failure(EXIT.failed, 'the node sent more than it had said')
        await file.writeFile(chunk)
        at += chunk.length
        onBytes(at)
      }
    } finally {
      await file.close()
    }
  }

  /**
   * Unpacks what has come and moves it to its place. Throws a `Failure` where it is damaged, or the place is taken.
   */
  async finish(): Promise<UnpackedResults> {
    const unpacked = this.#begun?.unpacked ?? (await this.#unpack())
    const names = await readdir(this.#files)
    await this.#refuseTaken(names)
    // After a death in the middle of this the next try moves what is left.
    if (this.#begun !== null) await this.#write({ ...this.#begun, unpacked })
    for (const name of names) await rename(join(this.#files, name), join(this.#directory, name))
    await rm(this.#work, { recursive: true, force: true })
    return unpacked
  }

  get #archive(): string {
    return join(this.#work, 'archive.tar.gz')
  }

  get #files(): string {
    return join(this.#work, 'files')
  }

  get #note(): string {
    return join(this.#work, 'begun.json')
  }

  async #unpack(): Promise<UnpackedResults> {
    await rm(this.#files, { recursive: true, force: true })
    try {
      return await unpackResults(this.#archive, this.#files)
    } catch (error) {
      // What is damaged is no beginning of anything; on a full disk nobody has room for a part of it.
      const useless = isFailure(error) ? this.#work : this.#files
      await rm(useless, { recursive: true, force: true })
      throw error
    }
  }

  async #refuseTaken(names: readonly string[]): Promise<void> {
    const taken: string[] = []
    for (const name of names) if (await exists(join(this.#directory, name))) taken.push(name)
    const [first] = taken
    if (first === undefined) return
    const others = taken.length === 1 ? '' : ` and ${taken.length - 1} more of the results`
    throw new Failure(EXIT.failed, `${this.#directory} has ${JSON.stringify(first)}${others} already`, {
      hint: 'nothing was replaced: remove it, or name another directory with --output-dir',
    })
  }

  async #read(): Promise<Begun | null> {
    try {
      const found = JSON.parse(await readFile(this.#note, 'utf8')) as Partial<Begun>
      const { tag, bytes } = found
      return typeof tag === 'string' && Number.isSafeInteger(bytes) ? (found as Begun) : null
    } catch {
      return null
    }
  }

  async #write(begun: Begun): Promise<void> {
    await writeFile(`${this.#note}.tmp`, JSON.stringify(begun), { mode: 0o600 })
    await rename(`${this.#note}.tmp`, this.#note)
    this.#begun = begun
  }
}

async function sizeOf(path: string): Promise<number | null> {
  return await stat(path).then(
    ({ size }) => size,
    (error: unknown) => {
      if (systemCode(error) === 'ENOENT') return null
      throw error
    },
  )
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  )
}
