import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bytesText, complain, countOf, Failure, printable, shellWord, type Terminal } from '@saltcod/cli-kit'
import { fileKind } from '@saltcod/config'
import {
  type BoltDamage,
  type BoltFile,
  type BoltKey,
  type BoltSnapshot,
  isBoltFile,
  openBoltFile,
} from '@saltcod/store-bolt'
import { isStoreError } from '@saltcod/store-core'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { pathText } from './bolt-text.ts'

/** Names that the stores of Bacalhau's releases have in a directory of their own. */
const STORE_FILES = ['state_boltdb.db', 'jobs.db', 'executions.db']
const SHOWN_DAMAGES = 10
/** In hexadecimal digits a value of this length is as long as a text can be. */
const MOST_VALUE_BYTES = 255 * 1024 * 1024

/**
 * Finds the BoltDB file that an argument means: the file itself, or the one store of a directory. Returns undefined
 * where it means something else, which whoever knows our own stores may look at.
 */
export async function boltArgument(argument: string): Promise<string | undefined> {
  if (!existsSync(argument)) return undefined
  const kind = fileKind(argument)
  if (kind === 'special') return undefined
  if (kind !== 'directory') return (await isBoltFile(argument)) ? argument : undefined
  const files = STORE_FILES.map((name) => join(argument, name)).filter((path) => existsSync(path))
  const [only, ...others] = files
  return only !== undefined && others.length === 0 && (await isBoltFile(only)) ? only : undefined
}

/** Opens a BoltDB file for a function, and closes it afterwards. */
export async function withBolt<T>(path: string, use: (file: BoltFile) => Promise<T>): Promise<T> {
  const file = await openBoltFile(path, { maxValueBytes: MOST_VALUE_BYTES })
  try {
    return await use(file)
  } catch (error) {
    if (!isStoreError(error, 'INVALID_ARGUMENT') || error.details.expected !== MOST_VALUE_BYTES) throw error
    throw new Failure(EXIT.usage, error.message, {
      hint: `values of up to ${bytesText(MOST_VALUE_BYTES)} are shown; bbolt get prints longer ones`,
      cause: error,
    })
  } finally {
    await file.close()
  }
}

/**
 * Finds the bucket that names lead to: one name for each level, or one text for all, with slashes between them. A name
 * that is not there may be given as `0x` and hexadecimal digits. Throws a `Failure` where there is none.
 */
export async function findBoltBucket(file: BoltFile, names: readonly string[]): Promise<readonly BoltKey[]> {
  const found = await file.read((snapshot) => pathOf(snapshot, names))
  if (found !== undefined) return found
  throw new Failure(
    EXIT.findings,
    `there is no bucket ${printable(names.join('/'))} in ${printable(file.path)}`,
    {
      hint: `list them with saltcod-inspect buckets ${shellWord(file.path)}`,
    },
  )
}

function pathOf(snapshot: BoltSnapshot, names: readonly string[]): readonly BoltKey[] | undefined {
  const [only] = names
  const slashed = names.length === 1 && only !== undefined ? [only.split('/')] : []
  for (const candidate of [names, ...slashed]) {
    const bytes = candidate.map((name) => Buffer.from(name))
    if (snapshot.bucket(bytes) !== undefined) return bytes
    const hex = candidate.map((name) =>
      /^0x([0-9a-f]{2})+$/i.test(name) ? Buffer.from(name.slice(2), 'hex') : name,
    )
    if (snapshot.bucket(hex) !== undefined) return hex
  }
  return undefined
}

/** Collects what could not be read, and tells of it at the end. */
export class BoltDamages {
  readonly #terminal: Terminal
  readonly #told = new Set<string>()
  #count = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  readonly add = ({ path, what, parts }: BoltDamage): void => {
    this.#count += parts
    if (this.#told.size < SHOWN_DAMAGES)
      this.#told.add(`${what}${path.length > 0 ? ` (in ${pathText(path)})` : ''}`)
  }

  /** Complains of what there was. Returns the exit code that says so, or undefined where there was nothing. */
  tell(path: string): ExitCode | undefined {
    if (this.#count === 0) return undefined
    for (const what of this.#told) complain(this.#terminal, what, undefined)
    complain(
      this.#terminal,
      `${countOf(this.#count, 'part')} of the file could not be read; the rest is shown`,
      `saltcod-inspect check ${shellWord(path)} tells all that is wrong`,
    )
    return EXIT.findings
  }
}
