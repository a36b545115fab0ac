import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { Failure, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { type JobObject, jobOf } from '../job-file/job-of.ts'
import { isPatternTimeout, templateVariables, type VariableSource } from '../job-file/template/variables.ts'
import { systemCode } from '../system-code.ts'

/** Larger files are not even read; the node takes less. */
const MAX_FILE_BYTES = 10 * 1024 * 1024

/** How the template of a job file is filled in, as options say it. */
export interface TemplateOptions {
  /** Whether it is filled in at all; without, it is. */
  readonly template?: boolean
  readonly templateVars?: readonly string[]
  readonly templateEnvs?: string
}

/**
 * Reads a job from a YAML or JSON file, or from standard input (`-`), and fills in its template. Throws a `Failure`
 * that says what is wrong with it.
 */
export async function readSpec(
  terminal: Terminal,
  path: string,
  { template = true, templateVars = [], templateEnvs }: TemplateOptions = {},
): Promise<JobObject> {
  const bytes = path === '-' ? await terminal.input() : await readBytes(path)
  const name = path === '-' ? 'standard input' : path
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge(name)
  const source = { given: templateVars, envPattern: templateEnvs, env: terminal.env }
  const text = textOf(name, bytes)
  return jobOf({ name, text, variables: template ? variablesOf(source) : undefined })
}

function textOf(name: string, bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  const mark = bytes.subarray(0, 2).toString('hex')
  const isWide = mark === 'fffe' || mark === 'feff'
  throw new Failure(EXIT.failed, `${name} is ${isWide ? 'UTF-16' : 'not UTF-8'}`, {
    hint: 'save it as UTF-8',
  })
}

function variablesOf(source: VariableSource): ReadonlyMap<string, string> {
  try {
    return templateVariables(source)
  } catch (error) {
    if (!isPatternTimeout(error)) throw error
    throw new Failure(EXIT.failed, `the pattern ${source.envPattern} takes too long to compare`, {
      hint: 'write --template-envs without repetitions of repetitions, such as ^APP_',
      cause: error,
    })
  }
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > MAX_FILE_BYTES) throw tooLarge(path)
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    const code = systemCode(error) ?? String(error)
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

function tooLarge(name: string): Failure {
  return new Failure(
    EXIT.failed,
    `${name} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB, no node takes that`,
    {
      hint: 'bring large data in by an input source, not in the job itself',
    },
  )
}
