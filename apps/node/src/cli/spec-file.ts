import { open } from 'node:fs/promises'
import { Failure, type Terminal } from '@saltcod/cli-kit'
import { parseDocument } from 'yaml'
import { EXIT } from '../exit-code.ts'
import { jobSchema } from '../spec/job-spec.ts'
import { unknownKey } from '../spec/loose-keys.ts'

/** Larger files are not even read; the node takes less. */
const MAX_FILE_BYTES = 10 * 1024 * 1024

const KEYS = Object.keys(jobSchema.shape).map((key) => key.toLowerCase())

/**
 * Reads a job from a YAML or JSON file, or from standard input (`-`). Throws a `Failure` that says what is wrong with
 * it.
 */
export async function readSpec(terminal: Terminal, path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = path === '-' ? await terminal.input() : await readText(path)
  const name = path === '-' ? 'standard input' : path
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) throw tooLarge(name)
  if (text.trim() === '') {
    throw new Failure(EXIT.failed, `${name} is empty`, { hint: 'it must hold a job as YAML or JSON' })
  }
  const job = parse(name, text)
  if (typeof job !== 'object' || job === null || Array.isArray(job)) {
    throw new Failure(EXIT.failed, `${name} does not hold a job`, {
      hint: `write an object with the keys ${KEYS.join(', ')}`,
    })
  }
  const unknown = Object.keys(job).filter((key) => !KEYS.includes(key.toLowerCase()))
  if (unknown.length > 0) {
    const near = unknown.length === 1 ? unknownKey('', unknown[0] ?? '', KEYS).near : undefined
    throw new Failure(EXIT.failed, `${name} has unknown keys: ${unknown.slice(0, 10).join(', ')}`, {
      hint: near === undefined ? `a job has the keys ${KEYS.join(', ')}` : `did you mean ${near}?`,
    })
  }
  return job as Readonly<Record<string, unknown>>
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > MAX_FILE_BYTES) throw tooLarge(path)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const words: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a directory',
      EACCES: 'it must not be read',
    }
    throw new Failure(EXIT.failed, `cannot read ${path}: ${words[code] ?? code}`, {
      hint: 'give a YAML or JSON file, or - for standard input',
      cause: error,
    })
  }
}

function parse(name: string, text: string): unknown {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text) as unknown
    } catch {
      // Flow YAML begins like JSON, so YAML has the last word.
    }
  }
  const document = parseDocument(text, { prettyErrors: true })
  const [error] = document.errors
  if (error?.code === 'MULTIPLE_DOCS') {
    throw new Failure(EXIT.failed, `${name} holds several documents, and a job is one`, {
      hint: 'make a file of each part between the lines ---, and submit each',
    })
  }
  if (error !== undefined) {
    const [message = ''] = error.message.split('\n')
    throw new Failure(EXIT.failed, `${name} is neither YAML nor JSON: ${message.replace(/:$/, '')}`)
  }
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown
  } catch (error_) {
    const message = error_ instanceof Error ? error_.message : String(error_)
    throw new Failure(EXIT.failed, `${name} cannot be read: ${message}`, { cause: error_ })
  }
}

function tooLarge(name: string): Failure {
  return new Failure(
    EXIT.failed,
    `${name} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB, no node takes that`,
    {
      hint: 'bring large data in by an input source, not in the job itself',
    },
  )
}
