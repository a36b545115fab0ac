import type { Terminal } from '../packages/cli-kit/src/index.ts'

/** A terminal that keeps what is written to it. */
export interface KeptTerminal extends Terminal {
  stdout: string
  stderr: string
}

/** Makes a terminal that is a file unless told otherwise. */
export function keptTerminal(parts: Partial<Terminal> = {}): KeptTerminal {
  const terminal: KeptTerminal = {
    stdout: '',
    stderr: '',
    env: {},
    inputIsTerminal: false,
    outputIsTerminal: false,
    errorIsTerminal: false,
    colour: false,
    columns: 100,
    out(text) {
      terminal.stdout += text
      return true
    },
    err(text) {
      terminal.stderr += text
    },
    input: async () => Buffer.alloc(0),
    secret: async () => null,
    ...parts,
  }
  return terminal
}
