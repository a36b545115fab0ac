import { writeWhole } from '@saltcod/cli-kit'

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
  input(): Promise<string>
}

/** Returns the terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process
  return {
    env,
    inputIsTerminal: stdin.isTTY === true,
    outputIsTerminal: stdout.isTTY === true,
    errorIsTerminal: stderr.isTTY === true,
    colour: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    columns: stdout.columns ?? 120,
    out: (text) => writeWhole(stdout.fd, text),
    err: (text) => void writeWhole(stderr.fd, text),
    async input() {
      const chunks: Buffer[] = []
      for await (const chunk of stdin) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks).toString('utf8')
    },
  }
}
