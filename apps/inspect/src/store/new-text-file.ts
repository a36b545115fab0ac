import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { Failure, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'

/** Where lines go: to a new file, or to standard output. */
export interface TextOutput {
  write(text: string): void
  /** Makes sure that all of it is on disk. */
  done(): void
  /** Takes back a file that is not whole. */
  discard(): void
}

/** Makes a file for lines; standard output where none is named. Throws a `Failure` where it cannot be made. */
export function textOutputTo(terminal: Terminal, target: string | undefined): TextOutput {
  if (target === undefined)
    return { write: (text) => terminal.out(text), done: () => undefined, discard: () => undefined }
  let file: number
  try {
    file = openSync(target, 'wx', 0o600)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new Failure(EXIT.usage, `${target} cannot be made: ${code === 'EEXIST' ? 'it exists' : code}`, {
      hint: 'give another path; nothing is ever overwritten',
    })
  }
  return {
    write: (text) => writeFileSync(file, text),
    done: () => {
      fsyncSync(file)
      closeSync(file)
    },
    discard: () => {
      closeSync(file)
      rmSync(target, { force: true })
    },
  }
}
