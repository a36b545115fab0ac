import { writeWhole } from '../display/write-whole.ts'
import { Failure } from '../ending/failure.ts'
import { typedSecret } from './typed-secret.ts'

/** Where a command writes, and what it reads of its surroundings. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard input is a person and not a file. */
  readonly inputIsTerminal: boolean
  /** Standard output is a person and not a file. */
  readonly outputIsTerminal: boolean
  /** Standard error is a person and not a file. */
  readonly errorIsTerminal: boolean
  /** Colour is wanted on standard output. */
  readonly colour: boolean
  readonly columns: number
  /** Writes text to standard output as it is; false where nobody reads it any more, as after `| head`. */
  out(text: string): boolean
  /** Writes text to standard error as it is. */
  err(text: string): void
  /** Reads standard input to its end. */
  input(): Promise<Buffer>
  /** Asks a person for a line that is not shown while it is typed; `null` where nobody is there, or gives one. */
  secret(question: string): Promise<string | null>
}

/** How a program meets trouble with its standard output. */
export interface TerminalOptions {
  /** The exit code of the `Failure` where it cannot be written. */
  readonly unwritable: number
  /** Called where nobody reads it any more. */
  readonly onUnread?: () => void
  /** Called where a person gives up with Ctrl-C while a secret is asked for, which is no signal then. */
  readonly onInterrupt?: () => void
}

/** Returns the terminal of a process. What it writes throws a `Failure` where that is not possible. */
export function processTerminal(
  { stdin, stdout, stderr, env }: Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env'>,
  { unwritable, onUnread, onInterrupt }: TerminalOptions,
): Terminal {
  const err = (text: string): void => void writeWhole(stderr.fd, text)
  return {
    env,
    inputIsTerminal: stdin.isTTY === true,
    outputIsTerminal: stdout.isTTY === true,
    errorIsTerminal: stderr.isTTY === true,
    colour: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    columns: stdout.columns ?? 120,
    out(text) {
      const isRead = writeOutput(stdout.fd, text, unwritable)
      if (!isRead) onUnread?.()
      return isRead
    },
    err,
    async input() {
      const chunks: Buffer[] = []
      for await (const chunk of stdin) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks)
    },
    async secret(question) {
      // What was read to its end, such as a job, gives nothing more.
      if (stdin.isTTY !== true || stderr.isTTY !== true || stdin.readableEnded) return null
      const typed = await typedSecret(stdin, () => err(question))
      err('\n')
      if (typed === 'interrupted') onInterrupt?.()
      return typeof typed === 'string' ? null : typed.text
    },
  }
}

function writeOutput(descriptor: number, text: string, unwritable: number): boolean {
  try {
    return writeWhole(descriptor, text)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new Failure(
      unwritable,
      `standard output cannot be written: ${code}; what was written ends in the middle`,
      {
        hint: code === 'ENOSPC' ? 'free space where it goes, or send it elsewhere' : 'send it elsewhere',
        cause: error,
      },
    )
  }
}
