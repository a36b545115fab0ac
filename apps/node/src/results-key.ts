import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writeKeptFile } from '@saltcod/config'

/** Where in the repository directory the key is kept. */
const RESULTS_KEY_FILE_NAME = 'results-key'

const KEY_BYTES = 32

/** A key, and what the operator should know about it. */
export interface ResultsKey {
  readonly key: Buffer
  readonly warnings: readonly string[]
}

/**
 * Returns the key that a repository keeps for the addresses of results, after making it keep one. One that others may
 * have read, or that is none, is replaced: the addresses that were given out are worthless then, and nothing else is.
 * Where it cannot be kept there is one until the process ends.
 */
export function resultsKey(repository: string): ResultsKey {
  const path = join(repository, RESULTS_KEY_FILE_NAME)
  const kept = readKey(path)
  if (Buffer.isBuffer(kept)) return { key: kept, warnings: [] }
  const key = randomBytes(KEY_BYTES)
  const warnings = kept === null ? [] : [`${path} ${kept}: addresses of results that were given out end here`]
  try {
    writeKeptFile(path, `${key.toString('hex')}\n`)
    return { key, warnings }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const unkept = `the key of the addresses of results cannot be kept, so that they end with this process: ${reason}`
    return { key, warnings: [...warnings, unkept] }
  }
}

/** Returns the key, `null` where there is none yet, or what is wrong with it. */
function readKey(path: string): Buffer | null | string {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return null
  if (!status.isFile() || status.size > 1000) return 'is no key and was replaced'
  if ((status.mode & 0o077) !== 0) return 'could be read by others and was replaced'
  try {
    const text = readFileSync(path, 'latin1').trim()
    return /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : 'is no key and was replaced'
  } catch (error) {
    return `cannot be read (${error instanceof Error ? error.message : String(error)}) and was replaced`
  }
}
