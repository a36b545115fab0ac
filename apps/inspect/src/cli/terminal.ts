import { writeWhole } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { Failure } from '../failure.ts'

/** Where a command writes, and what it reads of its surroundings. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard output is a person and not a file. */
  readonly outputIsTerminal: boolean
  /** Colour is wanted on standard output. */
  readonly colour: boolean
  /** Standard error is a person who may want to see progress. */
  readonly progress: boolean
  /** Writes text to standard output as it is. */
  out(text: string): void
  /** Writes text to standard error as it is. */
  err(text: string): void
}

/** Returns the terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process
  return {
    env,
    outputIsTerminal: stdout.isTTY === true,
    colour: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    progress: stderr.isTTY === true && env['TERM'] !== 'dumb',
    out: (text) => write(1, text),
    err: (text) => write(2, text),
  }
}

function outputError(code: string): Failure {
  return new Failure(
    EXIT.usage,
    `standard output cannot be written: ${code}; what was written ends in the middle`,
    {
      hint: code === 'ENOSPC' ? 'free space where it goes, or send it elsewhere' : 'send it elsewhere',
    },
  )
}

function write(descriptor: number, text: string): void {
  try {
    // Whoever reads us may stop doing so, as `head` does.
    if (!writeWhole(descriptor, text)) process.exit(0)
  } catch (error) {
    throw descriptor === 1 ? outputError((error as NodeJS.ErrnoException).code ?? String(error)) : error
  }
}
